import { expect, test } from "bun:test";
import { LayerStack } from "./compare-layers.ts";
import type { LayerEntry } from "./layer-entry.ts";

type Entry = Partial<LayerEntry> & Pick<LayerEntry, "path">;

const entry = ({ path, ...rest }: Entry): LayerEntry => ({
  path,
  type: "file",
  sizeBytes: 0,
  attributes: "644:0:0",
  isOpaque: false,
  inode: undefined,
  ...rest,
});
const directory = (path: string, rest: Partial<LayerEntry> = {}): Entry => ({
  path,
  type: "directory",
  attributes: "755:0:0",
  ...rest,
});
const file = (path: string, sizeBytes: number, rest: Partial<LayerEntry> = {}): Entry => ({
  path,
  sizeBytes,
  ...rest,
});
const whiteout = (path: string): Entry => ({ path, type: "whiteout" });

function stack(...layers: readonly (readonly Entry[])[]): LayerStack {
  const result = new LayerStack();
  for (const entries of layers) result.add(entries.map(entry));
  return result;
}

/** `+ path bytes`, `~` for changed, `-` for deleted, `>n` for what layer n hides. */
function shown(of: LayerStack): string[][] {
  const signs = { added: "+", changed: "~", deleted: "-" };
  return of.comparisons.map(({ changes }) =>
    changes.map(
      ({ kind, path, sizeBytes, shadowedBy }) =>
        `${signs[kind]} ${path} ${sizeBytes}${shadowedBy === undefined ? "" : ` >${shadowedBy}`}`,
    ),
  );
}

test("a file that a later layer writes again takes room twice, and is wasted once", () => {
  const image = stack([directory("a"), file("a/f", 100), file("a/g", 7)], [directory("a"), file("a/f", 120)]);
  expect(shown(image)).toEqual([["+ a 0", "+ a/f 100 >2", "+ a/g 7"], ["~ a/f 120"]]);
  expect(image.comparisons.map(({ wasted }) => wasted)).toEqual([
    { count: 1, sizeBytes: 100 },
    { count: 0, sizeBytes: 0 },
  ]);
  expect(image.visible()).toEqual({ count: 2, sizeBytes: 127 });
});

test("a whiteout of a directory hides all that is in it; one of nothing is no change", () => {
  const image = stack(
    [directory("a"), directory("a/b"), file("a/b/x", 5), file("a/b/y", 6)],
    [whiteout("a"), whiteout("nothing")],
  );
  expect(shown(image)).toEqual([["+ a 0 >2", "+ a/b 0 >2", "+ a/b/x 5 >2", "+ a/b/y 6 >2"], ["- a 11"]]);
  expect(image.comparisons[0]?.wasted).toEqual({ count: 2, sizeBytes: 11 });
  expect(image.visible()).toEqual({ count: 0, sizeBytes: 0 });
});

test("an opaque directory hides what is below it, and keeps what its own layer has", () => {
  const image = stack(
    [directory("a"), file("a/old", 5)],
    [directory("a", { isOpaque: true }), file("a/new", 6)],
  );
  expect(shown(image)).toEqual([
    ["+ a 0", "+ a/old 5 >2"],
    ["- a/ 5", "+ a/new 6"],
  ]);
  expect(image.visible()).toEqual({ count: 1, sizeBytes: 6 });
});

test("an opaque root hides all layers below", () => {
  const image = stack([directory(""), file("old", 5)], [directory("", { isOpaque: true }), file("new", 6)]);
  expect(shown(image)).toEqual([["+ old 5 >2"], ["- / 5", "+ new 6"]]);
});

test("the bytes of a file with several names count once, and are wasted only with the last name", () => {
  const image = stack(
    [file("one", 50, { inode: "7" }), file("two", 50, { inode: "7" })],
    [whiteout("one")],
    [whiteout("two")],
  );
  expect(shown(image)).toEqual([["+ one 50 >2", "+ two 0 >3"], ["- one 0"], ["- two 50"]]);
  expect(image.comparisons[0]?.wasted).toEqual({ count: 2, sizeBytes: 50 });
  expect(stack([file("one", 50, { inode: "7" }), file("two", 50, { inode: "7" })]).visible()).toEqual({
    count: 2,
    sizeBytes: 50,
  });
});

test("a directory that a layer only passes through is no change; one with another mode is", () => {
  const image = stack(
    [directory("a")],
    [directory("a"), file("a/f", 1)],
    [directory("a", { attributes: "1777:0:0" })],
  );
  expect(shown(image)).toEqual([["+ a 0"], ["+ a/f 1"], ["~ a 0"]]);
});

test("a file in place of a directory hides its content, and the other way round", () => {
  const image = stack(
    [directory("a"), file("a/f", 5), file("b", 6)],
    [file("a", 1), directory("b"), file("b/g", 2)],
  );
  expect(shown(image)).toEqual([
    ["+ a 0 >2", "+ a/f 5 >2", "+ b 6 >2"],
    ["~ a 1", "~ b 0", "+ b/g 2"],
  ]);
  expect(image.comparisons[0]?.wasted).toEqual({ count: 2, sizeBytes: 11 });
});

test("what a middle layer replaced is its waste, not that of the base", () => {
  const image = stack([file("f", 1)], [file("f", 10)], [file("f", 100)]);
  expect(image.comparisons.map(({ wasted }) => wasted.sizeBytes)).toEqual([1, 10, 0]);
});

test("names that are no UTF-8 are compared by their bytes", () => {
  const image = stack([file("\xff", 1), file("\xfe", 2)], [whiteout("\xff")]);
  expect(image.comparisons[1]?.changes).toHaveLength(1);
  expect(image.visible()).toEqual({ count: 1, sizeBytes: 2 });
});
