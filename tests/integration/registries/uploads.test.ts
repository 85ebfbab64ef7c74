import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { packImage, packTar } from "../../../scripts/image-archive.ts";
import { mustRun } from "../../fixtures/command.ts";
import { CuttingProxy } from "../../fixtures/cutting-proxy.ts";
import { TestEngine } from "../../fixtures/engine.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { GantryRegistry } from "../registry-server/gantry-registry.ts";

const mebibyte = 1 << 20;
let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start({ name: "uploads" });
  const layer = packTar([{ name: "noise", content: randomBytes(12 * mebibyte) }]);
  await engine.load(packImage({ tags: ["noise:1"], layers: [layer], config: {} }));
}, 30_000);
afterAll(() => engine?.[Symbol.asyncDispose](), 30_000);

/** Pushes through a connection that is cut once, and has skopeo compare what arrived. */
async function pushThrough(proxy: CuttingProxy): Promise<string> {
  const target = `${proxy.host}/noise:1`;
  await engine.must("gantry", "tag", "noise:1", target);
  const output = await engine.must("docker", "push", target);
  expect(proxy.cuts).toBe(1);
  const { Digest } = JSON.parse(
    await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${target}`]),
  );
  expect(output).toContain(`digest: ${Digest}`);
  return output;
}

test("a cut push goes on where it stopped, in a registry that can tell where", async () => {
  await using registry = await GantryRegistry.start();
  await using proxy = await CuttingProxy.start(registry.host, 6 * mebibyte);
  expect(await pushThrough(proxy)).toContain("Retrying in 1 second");
  expect(proxy.chunkStarts).toHaveLength(1);
  expect(proxy.chunkStarts[0]).toBeGreaterThan(mebibyte);
}, 30_000);

test("a cut push arrives whole in Docker's registry", async () => {
  await using registry = await TestRegistry.start();
  await using proxy = await CuttingProxy.start(registry.host, 6 * mebibyte);
  await pushThrough(proxy);
}, 30_000);
