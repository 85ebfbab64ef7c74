import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packTar } from "../../../scripts/image-archive.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { command } from "../../fixtures/command.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { gantryPath } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { pushImage } from "../pull/push-image.ts";
import { diskTruth } from "./disk-truth.ts";

let engine: TestEngine;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
  const files = (n: number) => [{ name: `layer-${n}`, content: `${n}`.repeat(100_000) }];
  const layers = [await busyboxFiles(), ...Array.from({ length: 6 }, (_, n) => files(n))];
  await pushImage(registry.host, "many", "1", { layers, format: "oci", compression: "gzip" });
  engine = await TestEngine.start({ name: "collection" });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);

const truth = () => diskTruth(engine.root);
const pruneAll = () => engine.must("gantry", "image", "prune", "-af");

test("pulls, prunes and removals at the same time: what was pulled is whole", async () => {
  const image = `${registry.host}/many:1`;
  const ended = new AbortController();
  const disturb = async (...args: string[]) => {
    while (!ended.signal.aborted) await engine.gantry(args);
  };
  const disturbers = [disturb("image", "prune", "-af"), disturb("rmi", image)];
  for (let times = 0; times < 5; times++) await engine.must("gantry", "pull", "-q", image);
  ended.abort();
  await Promise.all(disturbers);
  await engine.must("gantry", "pull", "-q", image);
  expect(await engine.must("gantry", "run", "--rm", image, "sh", "-c", "cat /layer-* | wc -c")).toBe(
    "600000",
  );
  const { blobs, layers } = truth();
  expect([blobs.length, layers.length]).toEqual([9, 7]);
  for (const name of blobs) {
    const bytes = readFileSync(join(engine.root, "content/blobs/sha256", name));
    expect(digestOf(bytes)).toBe(`sha256:${name}`);
  }
  await pruneAll();
  expect(truth()).toMatchObject({ blobs: [], layers: [], partials: [] });
}, 60_000);

test("a container keeps its layers when its image goes, until it goes itself", async () => {
  const image = `${registry.host}/many:1`;
  await engine.must("gantry", "run", "-d", "--name", "keeper", image, "sleep", "1000");
  await engine.must("gantry", "rm", "-f", await engine.must("gantry", "create", image, "true"));
  await engine.must("gantry", "stop", "-t", "0", "keeper");
  await engine.must("gantry", "rmi", "-f", image);
  await pruneAll();
  expect(truth()).toMatchObject({ blobs: [] });
  expect(truth().layers).toHaveLength(7);
  await engine.must("gantry", "start", "keeper");
  expect(await engine.must("gantry", "exec", "keeper", "sh", "-c", "cat /layer-* | wc -c")).toBe("600000");
  await engine.must("gantry", "rm", "-f", "keeper"); // takes them with it: no collection is needed
  expect(truth()).toMatchObject({ blobs: [], layers: [], tops: [] });
}, 60_000);

test("an image that goes right after its last container takes its layers with it", async () => {
  const image = `${registry.host}/many:1`;
  await engine.must("gantry", "pull", "-q", image);
  const body = { Image: image, Cmd: ["sleep", "0.1"], HostConfig: { AutoRemove: true } };
  const { Id } = await engine.json("POST", "/containers/create", body);
  await engine.json("POST", `/containers/${Id}/start`);
  // Asked all the time: so it goes in the first moment in which nobody uses it.
  let answer = await engine.fetch("DELETE", `/images/${image}`);
  while (answer.status === 409) answer = await engine.fetch("DELETE", `/images/${image}`);
  const removed = (await answer.json()) as object[];
  expect(removed.filter((one) => "Deleted" in one)).toHaveLength(1 + 7);
  expect(truth()).toMatchObject({ blobs: [], layers: [], tops: [] });
}, 60_000);

test("a prune leaves a running pull what it has, and a crash makes that garbage", async () => {
  await using faulty = await FaultyRegistry.start("stall-layers", [packTar(await busyboxFiles())]);
  const pull = engine.gantry(["pull", faulty.reference]);
  await waitFor("half of a layer", () => truth().partials.length === 1 && truth().blobs.length === 2);
  const before = truth();
  await pruneAll();
  expect(truth()).toEqual(before);
  const [manifest] = before.blobs;
  expect(await engine.must("gantry", "system", "df", "--why", `sha256:${manifest}`)).toContain(
    `    operation pull of ${faulty.reference}`,
  );

  await engine.kill();
  await pull;
  const old = join(engine.root, "content/ingest", digestOf("old").replace(":", "-"));
  const yesterday = Date.now() / 1000 - 25 * 3600;
  writeFileSync(old, "some bytes");
  utimesSync(old, yesterday, yesterday);
  await engine.boot();
  expect(await engine.must("gantry", "system", "df")).toMatch(/^Stored Blobs +2 +0 +\S+B +\S+B \(100%\)$/m);
  await waitFor("the collection after the start", () => truth().blobs.length === 0 && !existsSync(old));
  expect(truth().partials).toEqual(before.partials); // a repeated pull goes on with it
}, 60_000);

test("what arrived of a blob before its download broke off is told, left alone while it is new, and pruned when asked for", async () => {
  const { partials } = truth();
  expect(await engine.must("gantry", "system", "df")).toMatch(
    /^Partial Blobs +1 +0 +[\d.]+MB +[\d.]+MB \(100%\)$/m,
  );
  const planned = await engine.must("gantry", "image", "prune", "--dry-run");
  expect(planned).toMatch(/^partial blob +[0-9a-f]{12} +[\d.]+MB +its download broke off/m);
  await engine.must("gantry", "image", "prune", "-f", "--filter", "until=1h");
  expect(truth().partials).toEqual(partials);
  await engine.must("docker", "image", "prune", "-f");
  expect(truth().partials).toEqual([]);
}, 60_000);

test("a lease keeps an image's blobs and layers over restarts, until it is gone", async () => {
  const image = `${registry.host}/many:1`;
  await engine.must("gantry", "pull", "-q", image);
  const [{ Id }] = await engine.json("GET", "/images/json");
  const { blobs, layers } = truth();
  await engine.kill("SIGTERM");
  const leases = join(engine.root, "leases");
  mkdirSync(leases, { recursive: true });
  const manifest = blobs.find((name) =>
    readFileSync(join(engine.root, "content/blobs/sha256", name)).includes('"layers"'),
  );
  const lease = { id: "held", labels: {}, createdAt: new Date().toISOString() };
  const resources = [{ kind: "blob", name: `sha256:${manifest}` }];
  writeFileSync(join(leases, "held.json"), JSON.stringify({ ...lease, resources }));
  await engine.boot();
  await engine.must("gantry", "rmi", image);
  await pruneAll();
  expect([truth().blobs, truth().layers]).toEqual([blobs, layers]);
  expect(await engine.must("gantry", "system", "df", "--why", Id)).toContain("    lease held");

  await engine.kill("SIGTERM");
  rmSync(join(leases, "held.json"));
  await engine.boot();
  await pruneAll();
  expect(truth()).toMatchObject({ blobs: [], layers: [] });
}, 60_000);

test("a lease that cannot be read stops collections, until fsck moves it aside", async () => {
  await engine.must("gantry", "pull", "-q", `${registry.host}/many:1`);
  const path = join(engine.root, "leases/broken.json");
  await engine.kill("SIGTERM");
  writeFileSync(path, "{");
  await engine.boot();
  const refused = await engine.gantry(["image", "prune", "-af"]);
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(`${path} cannot be read`)]);
  await engine.kill("SIGTERM");
  const repaired = await command([gantryPath, "fsck", "--root", engine.root, "--repair"]);
  expect(repaired.stdout).toContain("the sidecar of a lease is broken");
  await engine.boot();
  await pruneAll();
  expect(truth()).toMatchObject({ blobs: [], layers: [] });
}, 60_000);

test("nothing is collected while a sidecar cannot be read, and the error names it", async () => {
  await engine.must("gantry", "pull", "-q", `${registry.host}/many:1`);
  await engine.kill("SIGTERM");
  const ids = join(engine.root, "images/ids");
  const [name = ""] = readdirSync(ids);
  const text = readFileSync(join(ids, name), "utf8");
  writeFileSync(join(ids, name), text.slice(0, 20));
  await engine.boot();
  const before = truth();
  for (const client of ["gantry", "docker"] as const) {
    const { exitCode, stderr } = await engine[client](["image", "prune", "-af"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${join(ids, name)} cannot be read`)]);
  }
  expect(truth()).toEqual(before);
  await engine.kill("SIGTERM");
  writeFileSync(join(ids, name), text);
  await engine.boot();
  expect(await engine.must("gantry", "run", "--rm", `${registry.host}/many:1`, "echo", "whole")).toBe(
    "whole",
  );
  await pruneAll();
}, 60_000);
