import { describe, expect, test } from "bun:test";
import { mediaTypes } from "./oci-image.ts";
import { parseImageConfig, parseIndex, parseManifest, parseManifestDocument } from "./parse-oci-image.ts";

const digest = `sha256:${"a".repeat(64)}`;
const descriptor = { mediaType: mediaTypes.ociLayer, digest, size: 3 };
const manifest = {
  schemaVersion: 2,
  config: { ...descriptor, mediaType: mediaTypes.ociConfig },
  layers: [descriptor],
};
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

describe("which kind of document it is", () => {
  test.each([
    [{ ...manifest }, "", "manifest"],
    [{ schemaVersion: 2, manifests: [] }, "", "index"],
    [{ ...manifest, mediaType: mediaTypes.dockerManifest }, mediaTypes.dockerManifest, "manifest"],
    [{ schemaVersion: 2, manifests: [] }, `${mediaTypes.dockerList}; charset=utf-8`, "index"],
    [{ schemaVersion: 2, manifests: [], mediaType: mediaTypes.ociIndex }, "application/json", "index"],
  ] as const)("%j sent as %p is a %s", (document, sentAs, kind) => {
    expect(parseManifestDocument(bytes(document), sentAs).kind).toBe(kind);
  });
});

describe("what is refused, and with which words", () => {
  test.each([
    ["not json", "", "m is not valid JSON"],
    [[], "", "m is not a JSON object"],
    [{}, "", "m: schemaVersion is missing"],
    [{ schemaVersion: 3 }, "", "m: schemaVersion is not 2"],
    [{ schemaVersion: 2 }, "", "m is neither a manifest nor an index"],
    [{ schemaVersion: 1 }, "", "m is in Docker's image format schema 1, which is not supported"],
    [{ schemaVersion: 2 }, mediaTypes.dockerSchema1Signed, "schema 1"],
    [{ ...manifest, manifests: [] }, "", "m is ambiguous: it has both manifests and layers"],
    [
      { ...manifest, mediaType: mediaTypes.ociManifest },
      mediaTypes.ociIndex,
      `m was sent as ${mediaTypes.ociIndex}, but says that it is ${mediaTypes.ociManifest}`,
    ],
    [{ ...manifest, mediaType: "text/plain" }, "", "m: mediaType is not supported: text/plain"],
    [{ ...manifest, mediaType: "constructor" }, "", "m: mediaType is not supported: constructor"],
    [{ ...manifest, config: undefined }, "", "m: config is missing"],
    [{ ...manifest, layers: null }, "", "m: layers is missing"],
    [{ ...manifest, layers: [1] }, "", "m: layers[0] is not an object"],
    [{ ...manifest, layers: [{ digest, size: 3 }] }, "", "m: layers[0].mediaType is missing"],
    [{ ...manifest, layers: [{ mediaType: "x", size: 3 }] }, "", "m: layers[0].digest is missing"],
    [{ ...manifest, layers: [{ mediaType: "x", digest }] }, "", "m: layers[0].size is missing"],
    [{ ...manifest, annotations: { a: 1 } }, "", 'm: annotations["a"] is not a string'],
    [{ schemaVersion: 2, mediaType: mediaTypes.ociIndex }, "", "m: manifests is missing"],
    [
      { schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: "linux" } }] },
      "",
      "architecture is missing",
    ],
    [{ ...manifest, layers: [{ ...descriptor, size: -1 }] }, "", "m: layers[0].size is negative"],
    [{ ...manifest, layers: [{ ...descriptor, size: 1.5 }] }, "", "m: layers[0].size is not a whole number"],
    [{ ...manifest, layers: [{ ...descriptor, digest: "sha256:../x" }] }, "", "m: layers[0].digest is not a"],
    [
      { schemaVersion: 2, manifests: [{ ...descriptor, platform: {} }] },
      "",
      "m: manifests[0].platform.os is missing",
    ],
  ] as const)("%j sent as %p: %s", (document, sentAs, message) => {
    expect(() => parseManifestDocument(bytes(document), sentAs, "m")).toThrow(message);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseManifest(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toThrow("is not valid JSON");
  });

  test("one kind where the other is wanted", () => {
    expect(() => parseIndex(bytes(manifest))).toThrow("is a manifest, not an index");
    expect(() => parseManifest(bytes({ schemaVersion: 2, manifests: [] }))).toThrow(
      "is an index, not a manifest",
    );
  });

  test("schema 1 comes with a way out", () => {
    expect(() => parseManifest(bytes({ schemaVersion: 1 }))).toThrow(
      expect.objectContaining({
        kind: "NotImplemented",
        hint: expect.stringContaining("push the image again"),
      }),
    );
  });
});

test("unknown annotations, and all that a descriptor can have, are kept", () => {
  const whole = {
    ...descriptor,
    urls: ["https://layers.example/x"],
    annotations: { "org.example.unknown": "" },
    data: "YWJj",
    artifactType: "application/vnd.example.thing",
    platform: { os: "linux", architecture: "arm", variant: "v7", "os.version": "1", "os.features": ["f"] },
  };
  const annotations = { "org.opencontainers.image.title": "t", "org.example.unknown": "u" };
  const index = parseIndex(bytes({ schemaVersion: 2, manifests: [whole], annotations }));
  expect(index).toEqual({ mediaType: mediaTypes.ociIndex, manifests: [whole], annotations } as never);
});

test("unknown media types of layers and unknown fields are kept out of the way", () => {
  const parsed = parseManifest(
    bytes({ ...manifest, extra: 1, layers: [{ ...descriptor, mediaType: "application/x", extra: 1 }] }),
  );
  expect(parsed).toEqual({
    mediaType: mediaTypes.ociManifest,
    config: { ...descriptor, mediaType: mediaTypes.ociConfig },
    layers: [{ ...descriptor, mediaType: "application/x" }],
  } as never);
});

describe("image config", () => {
  const file = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digest] } };

  test("Docker's nulls count as absent, and its additions are kept", () => {
    const parsed = parseImageConfig(
      bytes({
        ...file,
        config: {
          Cmd: ["sh"],
          Entrypoint: null,
          Labels: null,
          Env: ["A=b"],
          ExposedPorts: { "80/tcp": {} },
          Healthcheck: { Test: ["CMD", "true"], Interval: 30_000_000_000 },
          Image: "ignored",
        },
        history: [{ created_by: "x", empty_layer: true }],
      }),
    );
    expect(parsed.config).toEqual({
      Cmd: ["sh"],
      Env: ["A=b"],
      ExposedPorts: { "80/tcp": {} },
      Healthcheck: { Test: ["CMD", "true"], Interval: 30_000_000_000 },
    });
    expect(parsed.history).toEqual([{ created_by: "x", empty_layer: true }]);
  });

  test("config and history may be missing", () => {
    expect(parseImageConfig(bytes(file))).toEqual({ ...file, config: {}, history: [] } as never);
  });

  test.each([
    [{ ...file, os: undefined }, "c: os is missing"],
    [{ ...file, rootfs: undefined }, "c: rootfs is missing"],
    [{ ...file, rootfs: { type: "layers+base", diff_ids: [] } }, 'c: rootfs.type is not "layers"'],
    [{ ...file, rootfs: { type: "layers", diff_ids: ["x"] } }, "c: rootfs.diff_ids[0] is not a digest: x"],
    [{ ...file, config: { Env: "A=b" } }, "c: config.Env is not a list"],
    [{ ...file, config: { Labels: { a: 1 } } }, 'c: config.Labels["a"] is not a string'],
  ] as const)("%j: %s", (document, message) => {
    expect(() => parseImageConfig(bytes(document), "c")).toThrow(message);
  });
});
