import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readIdentity } from "./read-identity.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gantry-identity-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("missing files are empty", () => {
  expect(readIdentity(root)).toEqual({ passwd: "", group: "" });
});

test("links are resolved inside the root, whatever they point at", () => {
  mkdirSync(join(root, "etc"));
  mkdirSync(join(root, "usr"));
  symlinkSync("../../../../../../etc/passwd", join(root, "etc/passwd"));
  symlinkSync("/usr/group", join(root, "etc/group"));
  writeFileSync(join(root, "usr/group"), "users:x:100:\n");
  // The first one points at itself inside the root: a loop, not the host's file.
  expect(readIdentity(root)).toEqual({ passwd: "", group: "users:x:100:\n" });
});

test("what is no regular file is empty", () => {
  mkdirSync(join(root, "etc/passwd"), { recursive: true });
  expect(readIdentity(root).passwd).toBe("");
  Bun.spawnSync(["mkfifo", join(root, "etc/group")]);
  expect(readIdentity(root).group).toBe("");
});
