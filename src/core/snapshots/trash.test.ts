import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../log/log.ts";
import { Trash } from "./trash.ts";
import type { TreeWork } from "./tree-work.ts";

test("what comes when the last thing has just been dealt with is deleted, too", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-trash-"));
  const turns = Array.from({ length: 10 }, (_, count) => count);
  const left = turns.map(async (count) => {
    const directory = join(root, String(count));
    const take = (name: string) => {
      const path = join(root, `${count}-${name}`);
      mkdirSync(path);
      trash.take(path);
    };
    const takeLater = async () => {
      for (let turn = 0; turn < count; turn++) await undefined;
      take("second");
    };
    const kept = join(directory, "1");
    const release = async (path: string) => {
      if (path === kept) throw new Error("it is busy");
    };
    const log = createLog("warn", () => void takeLater());
    const trash: Trash = new Trash(directory, {} as TreeWork, { release }, log);
    take("first");
    await trash.settled();
    await Bun.sleep(0); // the second may have come when that was true
    await trash.settled();
    return readdirSync(directory);
  });
  expect(await Promise.all(left)).toEqual(turns.map(() => ["1"]));
  rmSync(root, { recursive: true });
});
