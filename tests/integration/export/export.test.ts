import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";

const machine = useMachine("export", ["busybox"]);
let directory: string;
beforeAll(() => {
  directory = scratchDirectory("export-files");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every kind of file, and things of the image that go away. */
const script = `
  mkdir -p /new/deep && echo content > /new/deep/file && chmod 4755 /new/deep/file
  ln /new/deep/file /new/second && ln -s deep/file /new/link && mkfifo /new/pipe && mknod /new/null c 1 3
  echo long > /new/$(printf '%0150d' 1) && chown 12:34 /new/second && touch -d @86400 /new/deep/file
  rm /etc/group && rm -r /home && mkdir /home && echo x > /home/again`;

describe.each(clients)("export and diff, with %s", (client) => {
  const name = `export-${client}`;
  let tree: string;
  beforeAll(async () => {
    const { engine } = machine;
    await engine.must(client, "run", "--name", name, "-v", "/etc:/volume", "busybox", "sh", "-ec", script);
    const archive = join(directory, `${client}.tar`);
    await engine.must(client, "export", "-o", archive, name);
    tree = join(directory, client);
    mkdirSync(tree);
    await mustRun(["tar", "--numeric-owner", "-xpf", archive, "-C", tree]);
  });
  afterAll(() => machine.engine.must(client, "rm", "-f", name));

  test("the image's files and the container's make one tree", () => {
    expect(lstatSync(join(tree, "bin/busybox")).isFile()).toBe(true);
    expect(readFileSync(join(tree, "new/deep/file"), "utf8")).toBe("content\n");
    expect(readdirSync(join(tree, "new"))).toContain("1".padStart(150, "0"));
    expect(readlinkSync(join(tree, "new/link"))).toBe("deep/file");
  });

  test("modes, owners, times, links and devices are as they were", () => {
    const file = lstatSync(join(tree, "new/deep/file"));
    expect(lstatSync(join(tree, "new/second")).ino).toBe(file.ino);
    expect([file.uid, file.gid, file.mtimeMs]).toEqual([12, 34, 86_400_000]);
    expect(lstatSync(join(tree, "new/pipe")).isFIFO()).toBe(true);
    const device = lstatSync(join(tree, "new/null"));
    expect([device.isCharacterDevice(), device.rdev]).toEqual([true, (1 << 8) | 3]);
    expect(lstatSync(join(tree, "tmp")).mode & 0o7777).toBe(0o1777);
  });

  test("what was deleted is not there, and no volume's content", () => {
    expect(readdirSync(join(tree, "etc"))).not.toContain("group");
    expect(readdirSync(join(tree, "home"))).toEqual(["again"]);
    expect(readdirSync(join(tree, "volume"))).toEqual([]);
  });

  test("the engine's mount points are empty, as in Docker", () => {
    for (const path of [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"])
      expect(lstatSync(join(tree, path))).toMatchObject({ size: 0 });
    expect(readlinkSync(join(tree, "etc/mtab"))).toBe("/proc/mounts");
    for (const path of ["dev/pts", "dev/shm", "proc", "sys"])
      expect(readdirSync(join(tree, path))).toEqual([]);
  });

  test("diff lists the same changes", async () => {
    const lines = (await machine.engine.must(client, "diff", name)).split("\n");
    expect(lines).toEqual([
      "C /etc",
      "D /etc/group",
      "C /home",
      "A /home/again",
      "A /new",
      `A /new/${"1".padStart(150, "0")}`,
      "A /new/deep",
      "A /new/deep/file",
      "A /new/link",
      "A /new/null",
      "A /new/pipe",
      "A /new/second",
      "A /volume",
    ]);
  });

  test("a container that changed nothing has no changes", async () => {
    const { engine } = machine;
    const id = await engine.must(client, "run", "-d", "busybox", "sleep", "600");
    expect(await engine.must(client, "diff", id)).toBe("");
    expect(
      await mustRun(["sh", "-c", `docker -H ${engine.host} export ${id} | tar -t | grep -c bin/busybox`]),
    ).toBe("1\n");
    await engine.must(client, "rm", "-f", id);
  });

  test("an export is an event", async () => {
    const { engine } = machine;
    const now = () => `${Math.floor(Date.now() / 1000)}`;
    const since = now();
    await engine.must(client, "export", "-o", join(directory, `${client}-event.tar`), name);
    const until = `${Number(now()) + 1}`;
    const args = ["events", "--since", since, "--until", until, "--filter", "event=export"];
    expect(await engine.must(client, ...args)).toContain(`name=${name}`);
  });

  test("of a container that is not there", async () => {
    for (const command of ["diff", "export"]) {
      const args = command === "export" ? ["-o", join(directory, "none.tar"), "nobody"] : ["nobody"];
      const { exitCode, stderr } = await machine.engine[client]([command, ...args]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("No such container: nobody");
    }
    expect(readdirSync(directory).filter((file) => file.startsWith("none"))).toEqual([]);
  });
});
