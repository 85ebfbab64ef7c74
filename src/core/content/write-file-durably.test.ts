import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileDurably } from "./write-file-durably.ts";

test("the new content is there as a whole, or nothing of it is", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-durably-"));
  await writeFileDurably(join(directory, "file"), "one");
  await writeFileDurably(join(directory, "file"), "two");
  expect(readFileSync(join(directory, "file"), "utf8")).toBe("two");
  mkdirSync(join(directory, "taken"));
  await expect(writeFileDurably(join(directory, "taken"), "three")).rejects.toThrow("EISDIR");
  expect(readdirSync(directory).sort()).toEqual(["file", "taken"]);
  rmSync(directory, { recursive: true });
});
