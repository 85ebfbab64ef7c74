import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { FaultyRegistry } from "../../fixtures/faulty-registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const base = packTar([{ name: "base", content: "shared\n".repeat(1000) }]);
const top = packTar([{ name: "top", content: "top\n".repeat(1000) }]);

let engine: TestEngine;
let registry: FaultyRegistry;
beforeAll(async () => {
  engine = await TestEngine.start({ name: "under-way", args: ["--max-layer-size", "1m"] });
  registry = await FaultyRegistry.start("none", [base, top]);
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
}, 60_000);
afterEach(async () => {
  registry.fault = "none";
  registry.requests.length = 0;
  await engine.must("gantry", "fsck", "--deep");
});

const layersAsked = () =>
  registry.requests.filter((request) => request.startsWith("GET") && request.includes("/blobs/"));
const waiting = (count: number) => waitFor("requests for layers", () => layersAsked().length >= count);

test("two pulls of one image at the same time share one download", async () => {
  registry.fault = "hold";
  const path = `/images/create?fromImage=${encodeURIComponent(registry.reference)}`;
  const pulls = await Promise.all([engine.fetch("POST", path), engine.fetch("POST", path)]);
  await waiting(3); // both have begun to answer; the config and two layers were asked for
  registry.fault = "none";
  for (const pull of pulls) expect(await pull.text()).toContain("Downloaded newer image");
  expect(layersAsked()).toHaveLength(3);
  await engine.must("gantry", "rmi", registry.reference);
});

test.each([false, true])(
  "rmi against a running pull that needs the same layer (force: %p)",
  async (force) => {
    await engine.load(packImage({ tags: ["other:1"], layers: [base], config: {} }));
    registry.fault = "hold";
    const pull = engine.gantry(["pull", registry.reference]);
    await waiting(2); // the config and the layer that is not here
    await engine.must("gantry", "rmi", ...(force ? ["-f"] : []), "other:1");
    registry.fault = "none";
    expect(await pull).toMatchObject({ exitCode: 0, stderr: "" });
    const [layer] = await engine
      .json("GET", `/images/${registry.reference}/json`)
      .then((it) => it.RootFS.Layers);
    expect(readdirSync(join(engine.root, "snapshots/layers"))).toContain(layer.slice("sha256:".length));
    await engine.must("gantry", "rmi", registry.reference);
    expect(readdirSync(join(engine.root, "content/blobs/sha256"))).toEqual([]);
  },
);

test("rmi of the name that a pull is about to give is `No such image`, and the pull goes on", async () => {
  registry.fault = "hold";
  const pull = engine.gantry(["pull", registry.reference]);
  await waiting(3);
  expect(await engine.gantry(["rmi", registry.reference])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("No such image"),
  });
  registry.fault = "none";
  expect((await pull).exitCode).toBe(0);
  await engine.must("gantry", "rmi", registry.reference);
});

test("a layer that is a bomb is refused by name, with the way out, and leaves nothing", async () => {
  const bomb = gzipSync(packTar([{ name: "zeros", content: new Uint8Array(20 << 20) }]));
  await using hostile = await FaultyRegistry.start("none", [bomb]);
  const { exitCode, stderr } = await engine.gantry(["pull", hostile.reference]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/layer sha256:[0-9a-f]{64}: unpacks to more than 1048576 bytes/);
  expect(stderr).toContain("--max-layer-size");
  expect(await engine.json("GET", "/images/json")).toEqual([]);
  expect(readdirSync(join(engine.root, "content/blobs/sha256"))).toEqual([]);
  expect(readdirSync(join(engine.root, "content/ingest"))).toEqual([]);
});
