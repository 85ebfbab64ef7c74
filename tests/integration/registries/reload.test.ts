import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, push } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const directory = scratchDirectory("reload");
const config = join(directory, "engine.json");
let mirror: TestRegistry;
let engine: TestEngine;
beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(config, JSON.stringify({ registry: { addr: "127.0.0.1:0", "read-only": true } }));
  mirror = await TestRegistry.start();
  await push(`docker-archive:${await busyboxArchiveFile()}`, mirror, "app:1");
  engine = await TestEngine.start({ name: "reload", args: ["--config-file", config] });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await mirror?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

const log = () => readFileSync(engine.logPath, "utf8");
async function reload(settings: object | string): Promise<void> {
  const answers = () => log().match(/engine\.reload(ed|-failed)/g)?.length ?? 0;
  const before = answers();
  writeFileSync(config, typeof settings === "string" ? settings : JSON.stringify(settings));
  process.kill(engine.pid, "SIGHUP");
  await waitFor("the answer to SIGHUP in the log", () => answers() > before);
}

test("the file says which registry the engine serves", async () => {
  const [, port] = /registry\.listening.*?port"?[=:](\d+)/.exec(log()) ?? [];
  expect((await fetch(`http://127.0.0.1:${port}/v2/`)).status).toBe(200);
  const refused = await fetch(`http://127.0.0.1:${port}/v2/a/blobs/uploads/`, { method: "POST" });
  expect(refused.status).toBe(405);
});

test("SIGHUP brings mirrors and insecure registries, and a wrong file changes nothing", async () => {
  const pull = () => engine.gantry(["pull", "reload.test/app:1"]);
  expect((await pull()).exitCode).toBe(1);
  const mirrors = [{ url: `http://${mirror.host}` }];
  await reload({ registries: { "reload.test": { mirrors } }, "insecure-registries": ["plain.test"] });
  expect((await pull()).exitCode).toBe(0);
  const { RegistryConfig } = await engine.json("GET", "/info");
  expect(RegistryConfig.IndexConfigs["reload.test"].Mirrors).toEqual([`http://${mirror.host}/`]);
  expect(RegistryConfig.IndexConfigs["plain.test"].Secure).toBe(false);
  const until = Math.ceil(Date.now() / 1000); // Docker's client writes whole seconds
  const filter = ["--since", "1m", "--until", String(until), "--filter", "type=daemon"];
  const events = await engine.must("docker", "events", ...filter);
  expect(events).toContain("daemon reload");
  expect(events).toContain('insecure-registries=["plain.test"]');

  await reload('{ "registry-mirrors": [');
  expect(log()).toContain("engine.reload-failed");
  expect((await engine.json("GET", "/info")).RegistryConfig.IndexConfigs["plain.test"].Secure).toBe(false);
  await reload({});
  await engine.must("gantry", "rmi", "reload.test/app:1");
  expect((await pull()).exitCode).toBe(1);
});
