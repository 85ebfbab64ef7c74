import { expect, test } from "bun:test";
import { type Digest, digestOf } from "../../formats/digest.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import type { NamedImage, ReferenceRecord } from "./image-sidecars.ts";
import { imagesOfName, withImage, withoutImages } from "./name-record.ts";

const descriptor = (text: string) => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(text),
  size: text.length,
});
const image = (text: string): NamedImage => ({ image: digestOf(text), manifest: descriptor(`m-${text}`) });
const name = (target: string) => ({
  reference: "docker.io/library/app:1",
  target: descriptor(target),
  createdAt: "2026-01-01T00:00:00Z",
});
const ids = (record: ReferenceRecord | undefined): Digest[] =>
  record === undefined ? [] : imagesOfName(record).map((each) => each.image);
const allSame = () => 0;

test("another platform of the same index stands beside the first, the newest first", () => {
  const one = withImage(name("index"), image("amd64"), undefined, allSame);
  const both = withImage(name("index"), image("arm64"), one, allSame);
  expect(ids(both)).toEqual([digestOf("arm64"), digestOf("amd64")]);
  expect(one.others).toBeUndefined();
});

test("what runs here best stays what the name means", () => {
  const rank = (id: Digest) => (id === digestOf("amd64") ? 0 : 1);
  const one = withImage(name("index"), image("amd64"), undefined, rank);
  expect(ids(withImage(name("index"), image("arm64"), one, rank))).toEqual(
    ["amd64", "arm64"].map((text) => digestOf(text)),
  );
});

test("another index replaces all that the name meant", () => {
  const one = withImage(name("index"), image("amd64"), undefined, allSame);
  const both = withImage(name("index"), image("arm64"), one, allSame);
  expect(ids(withImage(name("new"), image("arm64-new"), both, allSame))).toEqual([digestOf("arm64-new")]);
});

test("a name lives as long as one of its images", () => {
  const one = withImage(name("index"), image("amd64"), undefined, allSame);
  const both = withImage(name("index"), image("arm64"), one, allSame);
  const left = withoutImages(both, new Set([digestOf("arm64")]));
  expect(ids(left)).toEqual([digestOf("amd64")]);
  expect(withoutImages(both, new Set([digestOf("other")]))).toBe(both);
  expect(withoutImages(both, new Set(ids(both)))).toBeUndefined();
});
