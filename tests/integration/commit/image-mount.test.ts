import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";

const machine = useMachine("image-mount", ["busybox"]);
let directory: string;
beforeAll(async () => {
  directory = scratchDirectory("image-mount-files");
  const { engine } = machine;
  await engine.must("gantry", "run", "--name", "c", "busybox", "sh", "-c", "echo two > /new; rm /etc/group");
  await engine.must("gantry", "commit", "c", "layered:1");
  await engine.must("gantry", "rm", "c");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const gantry = (...args: string[]) => machine.engine.must("gantry", ...args);
const mounts = async () =>
  (await gantry("image", "mount"))
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/));

const mergedOf = async (image: string) =>
  (await machine.engine.json("GET", `/images/${image}/json`)).GraphDriver.Data.MergedDir;

test("inspect says where the files of an image come to be, and where they are", async () => {
  const own = await mergedOf("layered:1");
  expect(existsSync(own)).toBe(false);
  expect(await gantry("image", "mount", "layered:1")).toBe(own);
  expect(readFileSync(join(await mergedOf("layered:1"), "new"), "utf8")).toBe("two\n");
  await gantry("image", "unmount", "layered:1");
  const wanted = await gantry("image", "mount", "layered:1", join(directory, "wanted"));
  expect(await mergedOf("layered:1")).toBe(wanted);
  await gantry("image", "unmount", "layered:1");
  expect(await mergedOf("layered:1")).toBe(own);
});

test("an image of one layer, and one of two, are mounted for reading", async () => {
  expect(await mounts()).toEqual([]);
  const one = await gantry("image", "mount", "busybox");
  expect(one).toStartWith(join(machine.engine.state, "image-mounts/"));
  const two = await gantry("image", "mount", "layered:1", join(directory, "two"));
  expect(two).toBe(join(directory, "two"));
  expect(readFileSync(join(two, "new"), "utf8")).toBe("two\n");
  expect(readdirSync(join(one, "etc"))).toContain("group");
  expect(readdirSync(join(two, "etc"))).not.toContain("group");
  expect(readdirSync(two)).not.toContain(".dockerenv");
  for (const path of [one, two]) {
    expect(() => writeFileSync(join(path, "file"), "")).toThrow("EROFS");
    expect(await mustRun(["findmnt", "-no", "VFS-OPTIONS", path])).toMatch(/ro.*nosuid.*nodev/);
  }
  expect(await gantry("image", "mount", "busybox")).toBe(one); // once is enough
  expect((await mounts()).map(([name, , path]) => [name, path]).sort()).toEqual([
    ["busybox", one],
    ["layered:1", two],
  ]);
});

test("a mounted image is not removed, also after the engine was killed", async () => {
  const { engine } = machine;
  const before = await mounts();
  for (const restart of [false, true]) {
    if (restart) {
      await engine.kill("SIGKILL");
      await engine.boot();
    }
    for (const client of clients) {
      const { exitCode, stderr } = await engine[client](["rmi", "-f", "layered:1"]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`image is mounted at ${join(directory, "two")}`);
    }
    await gantry("image", "prune", "-af");
    expect(await mounts()).toEqual(before);
  }
  expect(await gantry("images", "-q", "layered")).not.toBe("");
  expect(readFileSync(join(directory, "two/new"), "utf8")).toBe("two\n");
});

test("a mount that is in use stays, and says so; unmounting takes the directories that were made", async () => {
  const { engine } = machine;
  const two = join(directory, "two");
  const user = Bun.spawn(["sleep", "600"], { cwd: two });
  const busy = await engine.gantry(["image", "unmount", two]);
  expect(busy.exitCode).toBe(1);
  expect(busy.stderr).toContain(`cannot unmount ${two}: it is in use`);
  user.kill("SIGKILL");
  await user.exited;
  expect(await gantry("image", "unmount", two)).toBe(two);
  expect(existsSync(two)).toBe(false);
  const one = await gantry("image", "unmount", "busybox");
  expect(existsSync(one)).toBe(false);
  expect(await mounts()).toEqual([]);
  for (const [target, message] of [
    ["busybox", "image busybox is not mounted"],
    [two, `no image is mounted at ${two}`],
  ] as const)
    expect((await engine.gantry(["image", "umount", target])).stderr).toContain(message);
  await gantry("rmi", "layered:1");
});

test("a directory that was there stays; one that somebody else unmounts is forgotten", async () => {
  const own = join(directory, "own");
  mkdirSync(own);
  await gantry("image", "mount", "busybox", own);
  const taken = await machine.engine.gantry(["image", "mount", machine.registry.host, own]);
  expect(taken.exitCode).toBe(1);
  await mustRun(["umount", own]);
  expect(await mounts()).toEqual([]);
  expect(readdirSync(own)).toEqual([]);
});

test("what cannot be mounted, or covered, is named", async () => {
  const { engine } = machine;
  await engine.must("gantry", "tag", "busybox", "other:1");
  writeFileSync(join(directory, "file"), "");
  const cases = [
    [["nobody"], "No such image: nobody:latest"],
    [["busybox", "/"], "cannot mount at /"],
    [["busybox", join(directory, "file")], "not a directory"],
    [["busybox", join(directory, "none/deep")], "no such file or directory"],
  ] as const;
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await engine.gantry(["image", "mount", ...args]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  }
  expect(await mounts()).toEqual([]);
});

test("an engine without overlayfs does the same", async () => {
  await using engine = await TestEngine.start({ name: "image-mount-vfs", args: ["--storage-driver", "vfs"] });
  await engine.load(await busyboxArchive("busybox:latest"));
  await engine.must("gantry", "run", "--name", "c", "busybox", "sh", "-c", "echo two > /new; rm /etc/group");
  await engine.must("gantry", "commit", "c", "layered:1");
  const path = await engine.must("gantry", "image", "mount", "layered:1");
  expect(readFileSync(join(path, "new"), "utf8")).toBe("two\n");
  expect(readdirSync(join(path, "etc"))).not.toContain("group");
  expect(() => writeFileSync(join(path, "file"), "")).toThrow("EROFS");
  expect(await mustRun(["findmnt", "-no", "VFS-OPTIONS", path])).toMatch(/ro.*nosuid.*nodev/);
  await engine.must("gantry", "image", "unmount", path);
});
