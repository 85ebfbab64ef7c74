import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountOverlay } from "../../../src/kernel/mount-overlay.ts";
import {
  AT_RECURSIVE,
  bindMount,
  MOUNT_ATTR_RDONLY,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  setMountAttributes,
  unmount,
} from "../../../src/kernel/mounts.ts";
import { AT_FDCWD } from "../../../src/kernel/syscall.ts";

describe.skipIf(process.getuid?.() !== 0)("mounts", () => {
  let base = "";
  const at = (name: string): string => {
    const path = join(base, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "gantry-test-mounts-"));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  /** Lower directories, the topmost first, each with a file that names it. */
  const layers = (names: readonly string[]): string[] =>
    names.map((name) => {
      const directory = at(name);
      writeFileSync(join(directory, "who"), name);
      return directory;
    });

  test("an overlay shows its topmost layer and writes into the upper directory", () => {
    const lower = layers(["top", "with:colon", "with,comma"]);
    const [upper, work, target] = [at("upper:1"), at("work"), at("merged")];
    mountOverlay({ lower, upper, work, target, options: ["index=off"] });
    try {
      expect(readFileSync(join(target, "who"), "utf8")).toBe("top");
      writeFileSync(join(target, "new"), "");
    } finally {
      unmount(target);
    }
    expect(readdirSync(upper)).toEqual(["new"]);
  });

  test.each([
    ["one parameter each, Linux 6.5", true],
    ["one option string for all, before", false],
  ])("an overlay takes a hundred layers, and paths longer than an option may be (%s)", (_form, oneByOne) => {
    const names = Array.from({ length: 100 }, (_, index) => `${index}-${"x".repeat(200)}/${"y".repeat(100)}`);
    const [upper, work, target] = [at("upper"), at("work"), at("merged")];
    mountOverlay({ lower: layers(names), upper, work, target }, oneByOne);
    try {
      expect(readFileSync(join(target, "who"), "utf8")).toBe(names[0] ?? "");
    } finally {
      unmount(target);
    }
  });

  test("a failing overlay names what the kernel refused", () => {
    const request = { lower: layers(["a"]), upper: at("u"), work: at("w"), target: at("merged") };
    expect(() => mountOverlay({ ...request, options: ["nonsense=on"] })).toThrow(
      `mount overlay ${request.target}: invalid argument (overlay: Unknown parameter 'nonsense')`,
    );
    expect(() => mountOverlay({ ...request, lower: [join(base, "absent")] })).toThrow(join(base, "absent"));
    expect(() => mountOverlay({ ...request, target: join(base, "nowhere") })).toThrow(
      "no such file or directory",
    );
  });

  test("a bind mount shows the directory; a detached one can be made read-only first", () => {
    const [source] = layers(["source"]);
    const target = at("target");
    bindMount(source ?? "", target);
    expect(readFileSync(join(target, "who"), "utf8")).toBe("source");
    unmount(target);
    const tree = openTree(AT_FDCWD, source ?? "", OPEN_TREE_CLONE);
    setMountAttributes(tree, "", 0x1000 | AT_RECURSIVE, { set: MOUNT_ATTR_RDONLY, clear: 0 });
    moveMount(tree, AT_FDCWD, target);
    try {
      expect(() => writeFileSync(join(target, "new"), "")).toThrow("EROFS");
    } finally {
      closeSync(tree);
      unmount(target);
    }
  });
});
