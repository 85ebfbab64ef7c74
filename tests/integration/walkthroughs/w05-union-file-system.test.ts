import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getXattr } from "../../../src/kernel/xattrs.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { describeTree } from "../unpack/layers.ts";

const machine = useMachine("w5", ["busybox"]);

describe.each(clients)("W5 the union file system, with %s", (client) => {
  const name = `union-${client}`;
  let lower: string[];
  let layersBefore: string[][];
  let upper: string;
  let merged: string;
  const inside = (...argv: string[]) => machine.engine.must(client, "exec", name, ...argv);

  beforeAll(async () => {
    const { engine } = machine;
    await engine.must(client, "run", "-d", "--name", name, "busybox", "sleep", "600");
    const data = JSON.parse(await engine.must(client, "inspect", "-f", "{{json .GraphDriver.Data}}", name));
    expect(Object.keys(data).sort()).toEqual(
      expect.arrayContaining(["LowerDir", "MergedDir", "UpperDir", "WorkDir"]),
    );
    lower = data.LowerDir.split(":");
    layersBefore = lower.map((layer) => describeTree(layer));
    upper = data.UpperDir;
    merged = data.MergedDir;
  });
  afterAll(() => machine.engine.must(client, "rm", "-f", name));

  test("a file made inside appears in the upper directory", async () => {
    await inside("touch", "/hello-world");
    expect(lstatSync(join(upper, "hello-world")).isFile()).toBe(true);
    expect(lstatSync(join(merged, "hello-world")).isFile()).toBe(true);
  });

  test("a file put into the upper directory appears inside", async () => {
    writeFileSync(join(upper, "from-the-host"), "hello\n");
    expect(await inside("cat", "/from-the-host")).toBe("hello");
  });

  test("an edited file is copied up whole, and the layer below keeps the old one", async () => {
    const original = await inside("cat", "/etc/os-release");
    await inside("sh", "-c", "echo EDITED=1 >> /etc/os-release");
    expect(readFileSync(join(upper, "etc/os-release"), "utf8")).toBe(`${original}\nEDITED=1\n`);
    const below = lower
      .map((layer) => join(layer, "etc/os-release"))
      .find((path) => lstatSync(path, { throwIfNoEntry: false }));
    expect(readFileSync(below ?? "", "utf8")).toBe(`${original}\n`);
  });

  test("a deleted file is a 0/0 character device in the upper directory", async () => {
    await inside("rm", "/etc/group");
    const whiteout = lstatSync(join(upper, "etc/group"));
    expect(whiteout.isCharacterDevice()).toBe(true);
    expect(whiteout.rdev).toBe(0);
  });

  test("a directory that was deleted and made again is opaque", async () => {
    await inside("sh", "-c", "rm -r /home && mkdir /home");
    expect(new TextDecoder().decode(getXattr(join(upper, "home"), "trusted.overlay.opaque"))).toBe("y");
  });

  test("diff says what was added, changed and deleted", async () => {
    const lines = (await machine.engine.must(client, "diff", name)).split("\n");
    expect(lines).toEqual([
      "C /etc",
      "D /etc/group",
      "C /etc/os-release",
      "A /from-the-host",
      "A /hello-world",
      "C /home",
    ]);
  });

  test("whatever a container does, the image's layers stay as they were", () => {
    expect(lower.map((layer) => describeTree(layer))).toEqual(layersBefore);
  });

  test("the image's own layers are those below the container's init layer", async () => {
    const { engine } = machine;
    const of = async (image: string) =>
      JSON.parse(await engine.must(client, "image", "inspect", "-f", "{{json .GraphDriver.Data}}", image));
    expect(await of("busybox")).toEqual({
      MergedDir: expect.stringContaining(engine.state),
      UpperDir: lower[1],
      WorkDir: join(lower[1] ?? "", "../work"),
    });
    await engine.must(client, "commit", name, "union-of-two");
    const { UpperDir, LowerDir, WorkDir } = await of("union-of-two");
    expect(lstatSync(UpperDir).isDirectory()).toBe(true);
    expect(WorkDir).toBe(join(UpperDir, "../work"));
    expect(LowerDir).toBe(lower[1]);
    await engine.must(client, "rmi", "union-of-two");
  });

  test("ps -s shows the size of the upper directory, and of all", async () => {
    const { engine } = machine;
    const id = await engine.must(
      client,
      "create",
      "busybox",
      "dd",
      "if=/dev/zero",
      "of=/big",
      "bs=1000",
      "count=5000",
    );
    await engine.must(client, "start", "-a", id);
    const size = await engine.must(client, "ps", "-a", "-s", "-f", `id=${id}`, "--format", "{{.Size}}");
    expect(size).toMatch(/^5MB \(virtual \d+(\.\d+)?MB\)$/);
    await engine.must(client, "rm", id);
  });

  test("two containers share the image's layers, and have tops of their own", async () => {
    const { engine } = machine;
    const id = await engine.must(client, "run", "-d", "busybox", "sleep", "600");
    const data = JSON.parse(await engine.must(client, "inspect", "-f", "{{json .GraphDriver.Data}}", id));
    expect(data.LowerDir.split(":").at(-1)).toBe(lower.at(-1));
    expect(data.UpperDir).not.toBe(upper);
    expect(await engine.must(client, "exec", id, "ls", "/")).not.toContain("hello-world");
    await engine.must(client, "rm", "-f", id);
  });

  test("the host's mount table names the layers that inspect shows", async () => {
    const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const options =
      table
        .find((row) => row.includes(` ${merged} `))
        ?.split(" ")
        .at(-1) ?? "";
    // One `lowerdir=` with colons, or since Linux 6.5 a `lowerdir+=` for each.
    const mounted = [...options.matchAll(/lowerdir\+?=([^,]*)/g)].flatMap(([, paths = ""]) =>
      paths.split(":"),
    );
    expect(mounted.map((path) => realpathSync(path))).toEqual(lower.map((path) => realpathSync(path)));
  });
});
