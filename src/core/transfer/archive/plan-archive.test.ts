import { expect, test } from "bun:test";
import { type Digest, digestHex, digestOf } from "../../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../../formats/oci-image.ts";
import { type PlannedImage, planArchive } from "./plan-archive.ts";

const blob = (text: string, digest: Digest = digestOf(text)): Descriptor => ({
  mediaType: mediaTypes.ociLayerGzip,
  digest,
  size: text.length,
});
const path = (text: string) => `blobs/sha256/${digestHex(digestOf(text))}`;

function image(name: string, layers: readonly Descriptor[], tags: readonly string[]): PlannedImage {
  const descriptor = { ...blob(`${name} manifest`), mediaType: mediaTypes.ociManifest };
  const config = { ...blob(`${name} config`), mediaType: mediaTypes.ociConfig };
  return { descriptor, manifest: { mediaType: mediaTypes.ociManifest, config, layers }, tags };
}

function texts(images: readonly PlannedImage[]) {
  const members = planArchive(images).flatMap((member) =>
    member.kind === "text" ? [[member.path, JSON.parse(member.text)] as const] : [],
  );
  return Object.fromEntries(members);
}

test("several images of an index are one entry, by the index; `docker save` has the first of them", () => {
  const index = { ...blob("index"), mediaType: mediaTypes.ociIndex };
  const tags = ["docker.io/library/a:1"];
  const images = ["amd64", "arm64"].map((name) => ({ ...image(name, [blob(name)], tags), index }));
  const { "index.json": layout, "manifest.json": docker } = texts(images);
  expect(layout.manifests.map(({ digest }: Descriptor) => digest)).toEqual([index.digest]);
  expect(docker).toMatchObject([{ Config: path("amd64 config"), RepoTags: ["a:1"] }]);
  const paths = planArchive(images).map((member) => member.path);
  expect(paths).toEqual(
    expect.arrayContaining(["index", "arm64 manifest", "arm64 config", "arm64"].map(path)),
  );
});

test("both layouts name the same blobs", () => {
  const one = image("a", [blob("x"), blob("y")], ["docker.io/library/a:1"]);
  expect(texts([one])).toEqual({
    "index.json": {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        {
          ...one.descriptor,
          annotations: {
            "io.containerd.image.name": "docker.io/library/a:1",
            "org.opencontainers.image.ref.name": "1",
          },
        },
      ],
    },
    "manifest.json": [{ Config: path("a config"), RepoTags: ["a:1"], Layers: [path("x"), path("y")] }],
    "oci-layout": { imageLayoutVersion: "1.0.0" },
    repositories: { a: { "1": digestHex(digestOf("y")) } },
  });
});

test("a shared layer is there once, and members are sorted", () => {
  const images = [image("a", [blob("x"), blob("y")], []), image("b", [blob("x")], [])];
  const paths = planArchive(images).map((member) => member.path);
  expect(paths.slice(0, 2)).toEqual(["blobs/", "blobs/sha256/"]);
  expect(paths).toEqual([...paths].sort());
  expect(paths.filter((each) => each === path("x"))).toHaveLength(1);
});

test("the order of the names does not change where blobs stand", () => {
  const [a, b] = [image("a", [blob("x")], []), image("b", [blob("y")], [])];
  const paths = (images: PlannedImage[]) => planArchive(images).map((member) => member.path);
  expect(paths([a, b])).toEqual(paths([b, a]));
});

test("an image without a name has none, and there are no repositories", () => {
  const plain = texts([image("a", [blob("x")], [])]);
  expect(plain["manifest.json"][0].RepoTags).toBeNull();
  expect(plain["index.json"].manifests[0].annotations).toBeUndefined();
  expect(Object.keys(plain)).not.toContain("repositories");
});

test("an image with two names is two entries of the index, one of the manifest", () => {
  const both = texts([image("a", [blob("x")], ["docker.io/library/a:1", "r.example/b:2"])]);
  expect(both["index.json"].manifests).toHaveLength(2);
  expect(both["manifest.json"][0].RepoTags).toEqual(["a:1", "r.example/b:2"]);
  expect(Object.keys(both.repositories)).toEqual(["a", "r.example/b"]);
});

test("a sha512 blob stands in its own folder", () => {
  const layer = blob("x", digestOf("x", "sha512"));
  const paths = planArchive([image("a", [layer], [])]).map((member) => member.path);
  expect(paths).toContain("blobs/sha512/");
  expect(paths).toContain(`blobs/sha512/${digestHex(layer.digest)}`);
});
