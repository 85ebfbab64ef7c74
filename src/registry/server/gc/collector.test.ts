import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { type Digest, digestOf } from "../../../formats/digest.ts";
import { createLog } from "../../../log/log.ts";
import { RegistryClient } from "../../client/registry-client.ts";
import { PullThroughCache } from "../cache/pull-through-cache.ts";
import { RegistryUpstream } from "../cache/upstream.ts";
import { openRegistry, type Registry } from "../registry.ts";
import type { RegistryRequest } from "../reply.ts";
import { getBlob } from "../routes/get-blob.ts";
import { putManifest } from "../routes/put-manifest.ts";
import { Collector } from "./collector.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-test-collector-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const open = () => openRegistry(mkdtempSync(join(scratch, "root-")));
const silent = createLog("error", () => undefined);
const hour = 3600_000;
const request = { dryRun: false, graceMs: hour, uploadAgeMs: hour, what: "unneeded" } as const;
const longAgo = new Date(Date.now() - 2 * hour);

async function addBlob(registry: Registry, name: string, text: string): Promise<Digest> {
  const digest = digestOf(text);
  await registry.repositories.addBlob(name, digest, async () => {
    await registry.content.put(new TextEncoder().encode(text));
  });
  return digest;
}

function age(registry: Registry, name: string, digest: Digest): void {
  utimesSync(registry.repositories.files.path(name, "_blobs", digest.replace(":", "-")), longAgo, longAgo);
}

const call = (method: string, body = ""): RegistryRequest => ({
  method,
  query: new URLSearchParams(),
  headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
  grant: { allows: () => true },
  body: (async function* () {
    yield new TextEncoder().encode(body);
  })(),
});
const target = (reference: string) => ({ path: "", repository: "app", reference });

function manifestOf(config: Digest): string {
  const descriptor = { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 3 };
  return JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [] });
}

test("a push that goes on while the registry collects either finds its blob or is refused, never half", async () => {
  const registry = await open();
  const collector = new Collector(registry, silent);
  for (let round = 0; round < 40; round++) {
    const config = await addBlob(registry, "app", `blob ${round}`);
    age(registry, "app", config);
    const put = async () => {
      for (let turn = 0; turn < round % 8; turn++) await Promise.resolve();
      return await putManifest(call("PUT", manifestOf(config)), target(`t${round}`), registry);
    };
    const [result] = await Promise.allSettled([put(), collector.collect(request)]);
    const isTagged = (await registry.repositories.tag("app", `t${round}`)) !== undefined;
    expect(isTagged).toBe(result.status === "fulfilled");
    if (result.status === "rejected") expect(result.reason).toBeInstanceOf(PlatformError);
    expect(registry.repositories.hasBlob("app", config)).toBe(isTagged);
  }
});

test("what a client has looked at stays for the grace period: it does not push it again", async () => {
  const registry = await open();
  const collector = new Collector(registry, silent);
  const [seen, unseen] = [await addBlob(registry, "app", "seen"), await addBlob(registry, "app", "unseen")];
  for (const digest of [seen, unseen]) age(registry, "app", digest);
  await getBlob(call("HEAD"), target(seen), registry);
  const { items } = await collector.collect(request);
  expect(items.map(({ name }) => name)).toEqual([unseen]);
  await putManifest(call("PUT", manifestOf(seen)), target("v1"), registry);
});

test("of a cache downloads that broke off go, too, when nobody goes on with them", async () => {
  const plain = await open();
  const ingest = await plain.content.ingest({ digest: digestOf("whole"), size: 5 });
  await ingest?.write(new TextEncoder().encode("who"));
  await ingest?.close({ keep: true });
  const upstream = new RegistryUpstream(new RegistryClient({ userAgent: "test" }), "127.0.0.1:1", undefined);
  const registry = { ...plain, cache: new PullThroughCache({ ...plain, upstream, log: silent }) };
  const all = { ...request, uploadAgeMs: 0 };
  expect((await new Collector(plain, silent).collect(all)).items).toEqual([]);
  expect((await new Collector(registry, silent).collect(request)).items).toEqual([]);
  const { items } = await new Collector(registry, silent).collect(all);
  expect(items).toMatchObject([{ repository: "", kind: "download", name: digestOf("whole"), bytes: 3 }]);
  expect(await plain.content.partials()).toEqual([]);
});

test("bytes are counted once, with the last of several links", async () => {
  const registry = await open();
  const digest = await addBlob(registry, "a", "shared");
  await addBlob(registry, "b", "shared");
  const collector = new Collector(registry, silent);
  const all = { ...request, graceMs: 0, uploadAgeMs: 0 };
  const planned = await collector.collect({ ...all, dryRun: true });
  expect(planned.freedBytes).toBe(6);
  expect(registry.repositories.hasBlob("a", digest)).toBe(true);
  expect(await collector.collect(all)).toEqual({ ...planned, dryRun: false });
  expect(registry.content.list()).toEqual([]);
});

test("a repository whose manifests cannot be read is left as it is", async () => {
  const registry = await open();
  const manifest = new TextEncoder().encode("{");
  const digest = digestOf(manifest);
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 };
  await registry.repositories.addManifest("broken", manifest, { descriptor });
  await addBlob(registry, "broken", "kept");
  await addBlob(registry, "sound", "garbage");
  const collector = new Collector(registry, silent);
  const { items } = await collector.collect({ ...request, graceMs: 0 });
  expect(items.map(({ repository }) => repository)).toEqual(["sound"]);
});

test("uploads alone are collected once nobody has gone on with them, and nothing else is", async () => {
  const registry = await open();
  const digest = await addBlob(registry, "app", "needed by nobody");
  age(registry, "app", digest);
  const [old, young] = [await registry.uploads.create("app"), await registry.uploads.create("app")];
  utimesSync(join(registry.repositories.uploadDirectory("app"), old.id), longAgo, longAgo);
  const { items } = await new Collector(registry, silent).collectUploads(request);
  expect(items).toMatchObject([{ kind: "upload", name: old.id }]);
  expect(registry.repositories.hasBlob("app", digest)).toBe(true);
  expect(await registry.uploads.offset(young)).toBe(0);
});
