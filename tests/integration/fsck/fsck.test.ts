import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import type { FsckLine } from "../../../src/wire/fsck-report.ts";
import { command } from "../../fixtures/command.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { busyboxArchiveFile, busyboxFiles, push } from "../../fixtures/images.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

const base = packTar([
  { name: "a/", type: "directory" },
  { name: "a/file", content: "of the base\n" },
  { name: "a/gone", content: "" },
]);
const top = packTar([
  { name: "a/other", content: "of the top\n" },
  { name: "a/.wh.gone", content: "" },
  { name: "b/implied", content: "x" },
]);

let engine: TestEngine;
let registry: FaultyRegistry;

beforeAll(async () => {
  registry = await FaultyRegistry.start("none", [packTar(await busyboxFiles()), base, top]);
  engine = await TestEngine.start({ name: "fsck" });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);

const under = (...parts: string[]) => join(engine.root, ...parts);
const only = (directory: string) => readdirSync(directory).map((name) => join(directory, name));

/** The largest blob: the layer with busybox. */
const bigBlob = () => {
  const blobs = only(under("content/blobs/sha256"));
  return blobs.sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? "";
};

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

async function fsck(...flags: string[]) {
  const result = await command([gantryPath, "fsck", "--json", ...flags], {
    env: { GANTRY_HOST: engine.host, DOCKER_CONFIG: "/nonexistent" },
  });
  const lines = result.stdout
    .split("\n")
    .filter(Boolean)
    .map((line): FsckLine => JSON.parse(line));
  const kinds = (key: "finding" | "remaining") =>
    lines.flatMap((line) => (key in line ? [Reflect.get(line, key).kind as string] : [])).sort();
  const failed = lines.flatMap((line) =>
    "repair" in line && line.repair.outcome === "failed" ? [line.repair] : [],
  );
  const lost = lines.flatMap((line) => ("summary" in line ? line.summary.lost : []));
  const { exitCode, stderr } = result;
  return { exitCode, stderr, found: kinds("finding"), remaining: kinds("remaining"), failed, lost };
}

const clean = { exitCode: 0, stderr: "", found: [], remaining: [], failed: [], lost: [] };
/** What a repair that mended everything says beside what it found. */
const mended = { exitCode: 0, remaining: [], failed: [], lost: [] };

async function runs(): Promise<string> {
  return engine.must("gantry", "run", "--rm", "--network", "none", registry.reference, "/bin/cat", "/a/file");
}

describe("while the engine runs", () => {
  test("what was pulled, loaded and run is clean, also in its files", async () => {
    await engine.must("gantry", "pull", registry.reference);
    expect(await runs()).toBe("of the base");
    const { exitCode, stdout } = await engine.gantry(["fsck", "--deep"]);
    expect(stdout).toMatch(/^5 blobs \(.*\), 1 image, 3 unpacked layers, 0 containers: nothing is wrong\n$/);
    expect(exitCode).toBe(0);
  });

  test("a damaged blob is named with place, reason, meaning and remedy; a repair fetches it again", async () => {
    const blob = bigBlob();
    const bytes = readFileSync(blob);
    damage(blob);
    const { stdout, exitCode } = await engine.gantry(["fsck"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^PROBLEM {2}blob sha256:[0-9a-f]{64} is corrupt$/m);
    expect(stdout).toContain(`  where    ${blob}\n`);
    expect(stdout).toMatch(/^ {2}why {6}its bytes have the digest sha256:[0-9a-f]{64}$/m);
    expect(stdout).toMatch(/^ {2}meaning {2}\S.*\n {2}repair {3}\S/m);

    expect(await fsck("--repair")).toMatchObject({ ...mended, found: ["blob-corrupt"] });
    expect(readFileSync(blob)).toEqual(bytes);
    expect(await fsck("--deep")).toEqual(clean);
    // The damaged one is kept.
    const [run = ""] = only(under("lost+found"));
    expect(statSync(blob.replace(engine.root, run)).size).toBe(bytes.length);
  });

  test("blobs that are gone are fetched, document by document", async () => {
    for (const blob of only(under("content/blobs/sha256"))) rmSync(blob);
    expect((await fsck("--repair")).exitCode).toBe(0);
    expect(await fsck("--deep")).toEqual(clean);
    expect(await runs()).toBe("of the base");
  });

  test("a pull that goes on is no damage", async () => {
    await using slow = await FaultyRegistry.start("stall", [base]);
    const pull = engine.gantry(["pull", slow.reference]);
    while (!slow.requests.some((request) => request.includes("/blobs/"))) await Bun.sleep(5);
    expect(await fsck()).toEqual(clean);
    await slow[Symbol.asyncDispose]();
    expect((await pull).exitCode).toBe(1);
  });

  test("its directory is not touched by another process", async () => {
    const result = await fsck("--root", engine.root, "--repair");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(`another engine uses ${engine.root}`);
  });
});

describe("while no engine runs", () => {
  beforeAll(() => engine.kill("SIGTERM"));
  afterAll(() => engine.boot());
  const offline = (...flags: string[]) => fsck("--root", engine.root, ...flags);
  const layers = () => only(under("snapshots/layers"));
  const layerWith = (file: string) =>
    layers().find((layer) => existsSync(join(layer, "diff", file))) ?? "no such layer";

  test("there is no engine to ask, and the way out is named", async () => {
    const result = await fsck();
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("--root");
  });

  test("a directory that is not there cannot be checked", async () => {
    expect((await fsck("--root", "/nonexistent/root")).exitCode).toBe(2);
  });

  test("clean after an orderly end", async () => {
    expect(await offline("--deep")).toEqual(clean);
  });

  type Damage = [string, string[], () => void];
  const damages: Damage[] = [
    ["a corrupt blob", ["blob-corrupt"], () => damage(bigBlob())],
    ["a missing blob", ["blob-missing"], () => rmSync(bigBlob())],
    [
      "a missing layer in the middle, whose upper neighbour hangs in the air",
      ["layer-missing", "layer-parent-missing"],
      () => rmSync(layerWith("a/file"), { recursive: true }),
    ],
    [
      "a layer sidecar that is no JSON",
      ["layer-missing", "sidecar-broken"],
      () => writeFileSync(join(layerWith("a/other"), "layer.json"), "{"),
    ],
    [
      "a layer without files",
      ["layer-missing", "sidecar-broken"],
      () => rmSync(join(layerWith("a/other"), "diff"), { recursive: true }),
    ],
    [
      "the sidecar of the image, empty",
      ["image-unrecorded", "sidecar-broken"],
      () => writeFileSync(only(under("images/ids"))[0] ?? "", ""),
    ],
    [
      "the sidecar of the image, gone",
      ["image-unrecorded"],
      () => rmSync(only(under("images/ids"))[0] ?? ""),
    ],
    [
      "layer and blob gone",
      ["blob-missing", "layer-missing", "layer-parent-missing", "layer-parent-missing"],
      () => {
        rmSync(layerWith("bin/busybox"), { recursive: true });
        rmSync(bigBlob());
      },
    ],
  ];
  test.each(damages)("%s is found and mended", async (_name, kinds, harm) => {
    harm();
    expect(await offline()).toMatchObject({ exitCode: 1, found: kinds });
    expect(await offline("--repair")).toMatchObject({ ...mended, found: kinds });
    expect(await offline("--deep")).toEqual(clean);
  });

  test("changed files of a layer are seen by a deep check only, and mended", async () => {
    writeFileSync(join(layerWith("a/file"), "diff/a/file"), "of somebody else\n");
    writeFileSync(join(layerWith("a/other"), "diff/a/more"), "");
    expect(await offline()).toEqual(clean);
    const found = ["layer-differs", "layer-differs"];
    expect(await offline("--deep")).toMatchObject({ exitCode: 1, found });
    expect(await offline("--deep", "--repair")).toMatchObject({ ...mended, found });
    expect(readFileSync(join(layerWith("a/file"), "diff/a/file"), "utf8")).toBe("of the base\n");
    expect(await offline("--deep")).toEqual(clean);
  });

  test("an image that cannot be mended is lost by name, and its files are kept", async () => {
    const { fault } = registry;
    registry.fault = "gone";
    const [id = ""] = only(under("images/ids")).map((path) => path.slice(-69, -5));
    const config = under("content/blobs/sha256", id);
    const away = `${engine.directory}/config`;
    renameSync(config, away);
    const result = await offline("--repair");
    expect(result).toMatchObject({
      exitCode: 1,
      found: ["blob-missing"],
      lost: [`image ${registry.reference}`],
    });
    expect(only(under("images/ids"))).toEqual([]);
    expect(await offline()).toEqual(clean);

    // Everything else is still there: with the files back, the image is.
    renameSync(away, config);
    const runs = only(under("lost+found")).sort();
    const last = runs.at(-1) ?? "";
    for (const folder of ["ids", "references"]) {
      for (const path of only(join(last, "images", folder)))
        renameSync(path, path.replace(last, engine.root));
    }
    expect(await offline()).toEqual(clean);
    registry.fault = fault;
  });

  test("a broken record of a container goes aside with what the container wrote", async () => {
    await engine.boot();
    await engine.must("gantry", "create", "--name", "c", registry.reference, "/bin/true");
    await engine.kill("SIGTERM");
    const [container = ""] = only(under("containers"));
    writeFileSync(join(container, "container.json"), "[]");
    const result = await offline("--repair");
    expect(result).toMatchObject({ exitCode: 1, found: ["sidecar-broken"], remaining: [], failed: [] });
    expect(result.lost).toEqual([`container of ${container}`]);
    expect(await offline()).toEqual(clean);
    const last = only(under("lost+found")).sort().at(-1) ?? "";
    const id = container.slice(-64);
    expect(existsSync(join(last, "snapshots/containers", id, "upper"))).toBe(true);
  });
});

test("an image that the engine left out at its start is mended and shown again", async () => {
  await engine.kill("SIGTERM");
  const archive = packImage({ tags: ["left:out"], layers: [base, top], config: {} });
  await engine.boot();
  await engine.load(archive);
  await engine.kill("SIGTERM");
  const layer = only(under("snapshots/layers")).find((path) => {
    const sidecar = JSON.parse(readFileSync(join(path, "layer.json"), "utf8"));
    return sidecar.parent === undefined && existsSync(join(path, "diff/a/file"));
  });
  rmSync(layer ?? "", { recursive: true });
  await engine.boot();
  expect((await engine.gantry(["image", "inspect", "left:out"])).exitCode).toBe(1);
  expect(await fsck("--repair")).toMatchObject({ ...mended });
  expect(await fsck("--deep")).toEqual(clean);
  await engine.must("gantry", "image", "inspect", "left:out");
});

test("a repair shows a registry the user's credentials", async () => {
  const credentials = { username: "user", password: "secret" };
  await using closed = await TestRegistry.start({ credentials });
  await push(`docker-archive:${await busyboxArchiveFile()}`, closed, "app:1", { credentials });
  const auth = Buffer.from("user:secret").toString("base64");
  const DOCKER_CONFIG = engine.directory;
  writeFileSync(join(DOCKER_CONFIG, "config.json"), JSON.stringify({ auths: { [closed.host]: { auth } } }));
  const asUser = async (...args: string[]) =>
    (await engine.gantry(args, { env: { DOCKER_CONFIG } })).exitCode;
  expect(await asUser("pull", `${closed.host}/app:1`)).toBe(0);
  const id = await engine.must("gantry", "image", "inspect", "-f", "{{.Id}}", `${closed.host}/app:1`);
  const config = under("content/blobs/sha256", id.replace("sha256:", ""));
  rmSync(config);
  expect(await fsck("--repair")).toMatchObject({ exitCode: 1, remaining: ["blob-missing"] });
  expect(await asUser("fsck", "--repair")).toBe(0);
  expect(existsSync(config)).toBe(true);
});
