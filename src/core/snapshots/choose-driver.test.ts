import { describe, expect, test } from "bun:test";
import { chooseDriver, type DriverName, parseDriverName, type StorageFacts } from "./choose-driver.ts";

const able: StorageFacts = { madeWith: undefined, overlayRefusal: undefined, erofsRefusal: undefined };
const noErofs = { ...able, erofsRefusal: "this kernel has no EROFS" };
const noOverlay = { ...able, overlayRefusal: "overlayfs does not work on nfs" };

test.each<[StorageFacts, DriverName | undefined, DriverName]>([
  [able, undefined, "overlay2"],
  [noOverlay, undefined, "vfs"],
  [noErofs, undefined, "overlay2"],
  [able, "erofs", "erofs"],
  [{ ...able, madeWith: "erofs" }, undefined, "erofs"],
  [able, "vfs", "vfs"],
  [{ ...able, madeWith: "vfs" }, undefined, "vfs"],
])("of %p with option %p: %p", (facts, wanted, chosen) => {
  expect(chooseDriver(facts, wanted)).toBe(chosen);
});

test.each<[StorageFacts, DriverName | undefined, string]>([
  [{ ...able, madeWith: "vfs" }, "overlay2", "of this root are made with vfs"],
  [noErofs, "erofs", "--storage-driver erofs: this kernel has no EROFS"],
  [noOverlay, "erofs", "--storage-driver erofs: overlayfs does not work on nfs"],
  [noOverlay, "overlay2", "--storage-driver overlay2: overlayfs does not work on nfs"],
  [{ ...noOverlay, madeWith: "overlay2" }, undefined, "--storage-driver overlay2: overlayfs does not"],
])("of %p with option %p is refused: %p", (facts, wanted, message) => {
  expect(() => chooseDriver(facts, wanted)).toThrow(message);
});

describe("--storage-driver", () => {
  test.each([
    ["overlay2", "overlay2"],
    ["overlay", "overlay2"],
    ["native", "vfs"],
    ["copy", "vfs"],
  ] as const)("%p is %p", (value, name) => expect(parseDriverName(value)).toBe(name));

  test.each([
    ["btrfs", "there is no such driver here"],
    ["constructor", "not a storage driver"],
    ["", "not a storage driver"],
  ])("%p is refused: %p", (value, message) => expect(() => parseDriverName(value)).toThrow(message));
});
