import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../../src/formats/digest.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";

const machine = useMachine("import", ["busybox"]);
let directory: string;
let plain: string;
beforeAll(async () => {
  directory = scratchDirectory("import-files");
  plain = join(directory, "root.tar");
  const { engine } = machine;
  const id = await engine.must("gantry", "create", "busybox", "true");
  await engine.must("gantry", "export", "-o", plain, id);
  await engine.must("gantry", "rm", id);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inspect = async (name: string) =>
  JSON.parse(await machine.engine.must("gantry", "image", "inspect", name))[0];

describe.each(clients)("import, with %s", (client) => {
  test.each([
    ["plain", ["cat"], "tar+gzip"],
    ["gzip", ["gzip", "-nc"], "tar+gzip"],
    ["zstd", ["zstd", "-qc"], "tar+zstd"],
    ["xz", ["xz", "-0c"], "tar+gzip"],
    ["bzip2", ["bzip2", "-c"], "tar+gzip"],
  ] as const)("a %s archive from a file becomes an image that runs", async (kind, pack, type) => {
    const { engine } = machine;
    const path = join(directory, `${client}-${kind}`);
    await mustRun(["sh", "-c", `${pack.join(" ")} ${plain} > ${path}`]);
    const changes = ["-c", 'CMD ["sh", "-c", "echo $A"]', "-c", "ENV A=1", "-m", "from afar"];
    const id = await engine.must(client, "import", ...changes, path, `${client}/${kind}:1`);
    expect(await engine.must(client, "run", "--rm", `${client}/${kind}:1`)).toBe("1");
    const found = await inspect(`${client}/${kind}:1`);
    expect(found).toMatchObject({ Id: id, Comment: "from afar", Parent: "" });
    expect(found.RootFS.Layers).toEqual([digestOf(readFileSync(plain))]);
    const archive = await mustRun([
      "sh",
      "-c",
      `docker -H ${engine.host} save ${id} | tar -xO --wildcards 'blobs/*' | grep -ao 'layer.v1.tar+[a-z]*'`,
    ]);
    expect(archive).toContain(type);
  });

  test("standard input, another platform, no name", async () => {
    const { engine } = machine;
    const { exitCode, stdout } = await engine[client](["import", "--platform", "linux/arm64", "-"], {
      input: readFileSync(plain),
    });
    expect(exitCode).toBe(0);
    const found = await inspect(stdout.trim());
    expect(found).toMatchObject({ Architecture: "arm64", RepoTags: [], Comment: "Imported from -" });
    await engine.must(client, "rmi", stdout.trim());
  });

  test("a URL is fetched by the engine; the import is an event", async () => {
    const { engine } = machine;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) =>
        url.endsWith("/root.tar") ? new Response(Bun.file(plain)) : new Response("", { status: 404 }),
    });
    const since = `${Math.floor(Date.now() / 1000)}`;
    const output = await engine.must(client, "import", `${server.url}root.tar`, `${client}/url`);
    expect(output).toContain(`Downloading from ${server.url}root.tar`);
    const id = output.split("\n").at(-1) ?? "";
    expect((await inspect(`${client}/url`)).Id).toBe(id);
    const until = `${Math.floor(Date.now() / 1000) + 1}`;
    const events = ["events", "--since", since, "--until", until, "--filter", "event=import"];
    expect(await engine.must(client, ...events)).toContain(`image import ${id}`);
    const { exitCode, stderr } = await engine[client](["import", `${server.url}none`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`failed to GET ${server.url}none with status 404`);
    const refused = await engine[client](["import", "http://127.0.0.1:1/root.tar"]);
    expect(refused.stderr).toContain(
      'Get "http://127.0.0.1:1/root.tar": dial tcp 127.0.0.1:1: connect: connection refused',
    );
  });

  test("what cannot be an image is refused by name, and nothing stays", async () => {
    const { engine } = machine;
    const stored = () =>
      ["content/blobs/sha256", "content/spool", "snapshots/layers"].map(
        (path) => readdirSync(join(engine.root, path)).length,
      );
    const before = [await engine.must(client, "images", "-aq", "--no-trunc"), stored()];
    const bad: readonly (readonly [name: string, bytes: Uint8Array, message: string])[] = [
      ["bzip2", Buffer.from("BZh91AY&SY"), "corrupt bzip2 data"],
      ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), "corrupt xz data"],
      ["text", Buffer.alloc(2000, "no archive "), "tar"],
      ["cut", readFileSync(plain).subarray(0, 100_000), "archive is truncated"],
      ["corrupt", Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "corrupt gzip data"],
    ];
    for (const [name, bytes, message] of bad) {
      const path = join(directory, `${client}-${name}`);
      writeFileSync(path, bytes);
      const { exitCode, stderr } = await engine[client](["import", path, "never:1"]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(message);
    }
    const refused = await engine[client](["import", "-c", "RUN x", plain]);
    expect(refused.stderr).toContain("RUN is not a valid change command");
    const windows = await engine[client](["import", "--platform", "windows/amd64", plain]);
    expect(windows.stderr).toContain("operating system is not supported");
    expect([await engine.must(client, "images", "-aq", "--no-trunc"), stored()]).toEqual(before);
  });
});

test("an exported root comes back as it was: the same names in the same order", async () => {
  const { engine } = machine;
  await engine.must("gantry", "import", plain, "again");
  const id = await engine.must("gantry", "create", "again", "true");
  await engine.must("gantry", "export", "-o", join(directory, "again.tar"), id);
  await engine.must("gantry", "rm", id);
  expect(readFileSync(join(directory, "again.tar")).equals(readFileSync(plain))).toBe(true);
});
