import { beforeEach, expect, test } from "bun:test";
import type { Image } from "../../core/images/contract.ts";
import type { Digest } from "../../formats/digest.ts";
import { ImageList } from "./image-list.ts";
import type { ImageService } from "./image-service.ts";

const idOf = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const image = (digit: string, created: string, ...tags: string[]) =>
  ({
    id: idOf(digit),
    config: { created, config: {} },
    sizeBytes: 1,
    tags,
    repoDigests: [],
  }) as unknown as Image;

let images: readonly Image[];
let counts: [Digest, number][];
let list: ImageList;

const find = (name: string) => images.find(({ tags }) => tags.includes(name));

beforeEach(() => {
  images = [image("a", "2020-01-02T00:00:00Z", "docker.io/library/a:1"), image("b", "2020-01-01T00:00:00Z")];
  counts = [[idOf("a"), 1]];
  const service = { store: { list: () => images, find }, containerCounts: () => new Map(counts) };
  list = new ImageList(service as unknown as ImageService);
});

const shown = (minor = 51) => list.all(minor).summaries;

test("the list and its JSON are made once while nothing changes", () => {
  const before = list.all(51);
  expect(list.all(51)).toBe(before);
  expect(before.json()).toBe(`${JSON.stringify(before.summaries)}\n`);
  expect(before.summaries).toMatchObject([{ RepoTags: ["a:1"], Containers: 1 }, { Containers: 0 }]);
});

test("other images, other containers and another version make another one", () => {
  const first = shown();
  images = [image("a", "2020-01-02T00:00:00Z", "docker.io/library/a:2")];
  expect(shown()).toMatchObject([{ RepoTags: ["a:2"] }]);
  counts = [[idOf("a"), 2]];
  expect(shown()).toMatchObject([{ Containers: 2 }]);
  counts = [];
  expect(shown()).toMatchObject([{ Containers: 0 }]);
  counts = [[idOf("c"), 1]];
  expect(shown()).not.toBe(first);
  expect(shown(50)).toMatchObject([{ Containers: -1 }]);
  expect(shown(43)).toMatchObject([{ VirtualSize: 1 }]);
});
