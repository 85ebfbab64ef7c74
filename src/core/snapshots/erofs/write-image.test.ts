import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeErofsImage } from "./write-image.ts";

test("an image whose tree is not there is closed again", () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-erofs-"));
  const image = join(directory, "image");
  expect(() => writeErofsImage({ directory: join(directory, "none"), image })).toThrow("no such file");
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the list's own
    }
  });
  expect(open).not.toContain(image);
  rmSync(directory, { recursive: true });
});
