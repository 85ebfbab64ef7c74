import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installEmbedded } from "./install-embedded.ts";

let directory: string;
let source: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-embedded-"));
  source = join(directory, "source");
  writeFileSync(source, "first version");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const install = () => installEmbedded(source, "part", join(directory, "bin"));

test("the file is executable, complete, and alone in its directory", () => {
  const path = install();
  expect(readFileSync(path, "utf8")).toBe("first version");
  expect(statSync(path).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(directory, "bin"))).toHaveLength(1);
});

test("a second call leaves an intact file alone", () => {
  const before = statSync(install()).ino;
  expect(statSync(install()).ino).toBe(before);
});

test("another content gets another path, and the first one stays", () => {
  const first = install();
  writeFileSync(source, "second version");
  const second = install();
  expect(second).not.toBe(first);
  expect(readFileSync(first, "utf8")).toBe("first version");
  expect(readFileSync(second, "utf8")).toBe("second version");
});

test.each([
  ["other bytes of the same length", (path: string) => writeFileSync(path, "FIRST version")],
  ["a file that others may write", (path: string) => chmodSync(path, 0o777)],
  [
    "a symbolic link",
    (path: string) => {
      unlinkSync(path);
      symlinkSync(source, path);
    },
  ],
] as const)("%s is replaced", (_name, damage) => {
  const path = install();
  damage(path);
  expect(install()).toBe(path);
  expect(readFileSync(path, "utf8")).toBe("first version");
  expect(statSync(path).mode & 0o777).toBe(0o755);
});

test("a directory that cannot be made is named in the error", () => {
  writeFileSync(join(directory, "bin"), "a file, no directory");
  expect(install).toThrow(join(directory, "bin"));
});
