import { expect, test } from "bun:test";
import { layerPath } from "./layer-path.ts";
import { whiteoutOf } from "./whiteout.ts";

test.each([
  ["etc/passwd", "etc/passwd", 2],
  ["./etc//passwd", "etc/passwd", 2],
  ["/etc/passwd", "etc/passwd", 2],
  ["dir/", "dir", 1],
  ["a/b/../c", "a/c", 2],
  ["a/..", "", 0],
  ["./", "", 0],
  ["/", "", 0],
  [".", "", 0],
  ["..data", "..data", 1],
  ["a/...", "a/...", 2],
] as const)("%p is %p, %p deep", (raw, path, depth) => {
  expect(layerPath(raw)).toMatchObject({ path, depth });
});

test.each(["..", "../x", "a/../../x", "/../x", "./.."])("%p leads out of the layer", (raw) => {
  expect(layerPath(raw)).toBeUndefined();
});

test("a path is split at its last slash", () => {
  expect(layerPath("a/b/c")).toMatchObject({ parent: "a/b", name: "c" });
  expect(layerPath("c")).toMatchObject({ parent: "", name: "c" });
});

test.each([
  ["a/b", "none"],
  ["a/x.wh.b", "none"],
  [".wh.b", "hide"],
  ["a/.wh.b", "hide"],
  ["a/.wh..b", "hide"],
  ["a/.wh..wh..opq", "opaque"],
  [".wh..wh.plnk", "skip"],
  [".wh..wh.plnk/12.34", "skip"],
  ["a/.wh.", "invalid"],
  ["a/.wh..", "invalid"],
  ["a/.wh...", "invalid"],
  ["a/.wh.b/c", "invalid"],
] as const)("as a whiteout, %p is %p", (raw, kind) => {
  const path = layerPath(raw);
  expect(path && whiteoutOf(path).kind).toBe(kind);
});
