import { describe, expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import { readManifest } from "./manifest-record.ts";
import { registryCode } from "./registry-error.ts";

const [a, b, c] = [digestOf("a"), digestOf("b"), digestOf("c")];
const config = { mediaType: mediaTypes.ociConfig, digest: a, size: 1 };
const layer = (extra = {}) => ({ mediaType: mediaTypes.ociLayer, digest: b, size: 1, ...extra });
const image = (extra = {}) => ({ schemaVersion: 2, config, layers: [layer()], ...extra });
const read = (document: unknown, contentType?: string) =>
  readManifest(new TextEncoder().encode(JSON.stringify(document)), c, contentType);

describe("a manifest", () => {
  test("needs its config and layers, but not those that lie elsewhere", () => {
    expect(read(image()).blobs).toEqual([a, b]);
    expect(read(image({ layers: [layer({ urls: ["https://x/y"] })] })).blobs).toEqual([a]);
  });

  test("has its own artifact type, or its config's media type", () => {
    expect(read(image()).record.descriptor.artifactType).toBe(mediaTypes.ociConfig);
    expect(read(image({ artifactType: "x/y" })).record.descriptor.artifactType).toBe("x/y");
  });

  test.each([
    [{}, mediaTypes.dockerManifest, mediaTypes.dockerManifest],
    [{ mediaType: mediaTypes.dockerManifest }, "application/json", mediaTypes.dockerManifest],
    [{}, undefined, mediaTypes.ociManifest],
    [{}, `${mediaTypes.ociManifest}; charset=utf-8`, mediaTypes.ociManifest],
  ] as const)("%j sent as %p is %p", (extra, contentType, wanted) => {
    expect(read(image(extra), contentType).record.descriptor.mediaType).toBe(wanted);
  });
});

test("an index needs its members, and may have a subject, too", () => {
  const member = { mediaType: mediaTypes.ociManifest, digest: b, size: 1 };
  const subject = { mediaType: mediaTypes.ociManifest, digest: a, size: 1 };
  const { record, blobs, manifests } = read({ schemaVersion: 2, manifests: [member], subject });
  expect({ blobs, manifests, subject: record.subject }).toEqual({ blobs: [], manifests: [b], subject: a });
  expect(record.descriptor.artifactType).toBeUndefined();
});

test("members of an index that are no images may be blobs: a build cache is such an index", () => {
  const { manifests, others, everything } = read({
    schemaVersion: 2,
    manifests: [layer(), { ...config, mediaType: mediaTypes.ociManifest, platform: {} }],
  });
  expect({ manifests, others, everything }).toEqual({ manifests: [a], others: [b], everything: [a, b] });
});

test.each([
  { schemaVersion: 2, config },
  { schemaVersion: 2, config, layers: null },
  { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: null },
])("%j names nothing more, as Go writes empty lists", (document) => {
  const { blobs, manifests, others } = read(document);
  expect({ blobs, manifests, others }).toEqual({
    blobs: "config" in document ? [a] : [],
    manifests: [],
    others: [],
  });
});

test.each([
  ["no object", []],
  ["schema 1", { schemaVersion: 1, fsLayers: [] }],
  ["an image without config", { schemaVersion: 2, layers: [layer()] }],
  ["an image that calls itself an index", { ...image(), mediaType: mediaTypes.ociIndex }],
  ["a layer without media type", image({ layers: [{ digest: b, size: 1 }] })],
  [
    "a member with an unknown algorithm",
    { schemaVersion: 2, manifests: [{ ...layer(), digest: "md5:abc" }] },
  ],
  ["both kinds at once", image({ manifests: [] })],
  ["a subject without digest", image({ subject: {} })],
  ["a subject with an unknown algorithm", image({ subject: { digest: "md5:abc" } })],
])("%s is MANIFEST_INVALID", (_what, document) => {
  let code: string | undefined;
  try {
    read(document);
  } catch (error) {
    code = registryCode(error);
  }
  expect(code).toBe("MANIFEST_INVALID");
});
