import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchive } from "../../fixtures/images.ts";
import { freePort } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { pushImage } from "../pull/push-image.ts";

/** An engine whose registry has one image, with a referrer, which no image of the engine shares. */
let engine: TestEngine;
let host: string;
let manifest: string;
let repository: string;
beforeAll(async () => {
  host = `127.0.0.1:${await freePort()}`;
  engine = await TestEngine.start({ name: "fsck-registry", args: ["--registry", host] });
  await engine.load(await busyboxArchive("local:1"));
  const layers = [[{ name: "file", content: "text" }]];
  const pushed = await pushImage(host, "team/app", "1", { layers, compression: "gzip", format: "oci" });
  manifest = pushed.digest;
  repository = join(engine.root, "registry/repositories/team/app");
  const bytes = readFileSync(blobPath(manifest), "utf8");
  const answer = await fetch(`http://${host}/v2/team/app/manifests/signed`, {
    method: "PUT",
    headers: { "content-type": pushed.mediaType },
    body: JSON.stringify({ ...JSON.parse(bytes), subject: pushed }),
  });
  expect(answer.status).toBe(201);
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, 30_000);

const blobPath = (digest: string) =>
  join(engine.root, "content/blobs/sha256", digest.slice("sha256:".length));

async function fsck(...args: string[]) {
  const { stdout, exitCode } = await engine.gantry(["fsck", "--root", engine.root, ...args]);
  return { exitCode, kinds: [...stdout.matchAll(/^PROBLEM {2}(.*)$/gm)].map(([, what]) => what ?? "") };
}

/** The engine answers a ping before its registry listens. */
async function referrers(): Promise<number> {
  const url = `http://${host}/v2/team/app/referrers/${manifest}`;
  const answer = await waitFor("the registry's answer", () => fetch(url).catch(() => undefined));
  const { manifests } = (await answer.json()) as { manifests: object[] };
  return manifests.length;
}

test("a registry in an engine is clean while it runs and when it does not", async () => {
  expect((await engine.gantry(["fsck"])).exitCode).toBe(0);
  await engine.kill("SIGTERM");
  expect(await fsck()).toEqual({ exitCode: 0, kinds: [] });
  await engine.boot();
  expect(await referrers()).toBe(1);
});

test("what is wrong is named; a repair writes what can be written, and moves the rest aside", async () => {
  await engine.kill("SIGTERM");
  const [subject = ""] = readdirSync(join(repository, "_referrers"));
  rmSync(join(repository, "_referrers", subject), { recursive: true });
  writeFileSync(join(repository, "_tags/wrong"), "no digest");
  writeFileSync(join(repository, "_tags/nothing"), `sha256:${"0".repeat(64)}`);
  writeFileSync(join(repository, "_blobs", `sha256-${"1".repeat(64)}`), "");
  mkdirSync(join(engine.root, "content/labels"), { recursive: true });
  writeFileSync(join(engine.root, "content/labels", `sha256-${manifest.slice(7)}.json`), "[");
  const found = await fsck();
  expect(found.exitCode).toBe(1);
  expect(found.kinds).toHaveLength(5);
  for (const what of [
    "a tag of the registry is broken",
    "is not among the referrers of",
    `repository team/app lacks sha256:${"1".repeat(64)}`,
    "the labels of a blob are broken",
    "the tag team/app:nothing of the registry stands for nothing",
  ]) {
    expect(found.kinds.join("\n")).toContain(what);
  }
  expect((await fsck("--repair")).exitCode).toBe(1); // tags and a link are lost
  expect(await fsck()).toEqual({ exitCode: 0, kinds: [] });
  const aside = readdirSync(join(engine.root, "lost+found"), { recursive: true }).map(String);
  expect(aside.some((path) => path.endsWith("team/app/_tags/wrong"))).toBe(true);
  await engine.boot();
  expect(await referrers()).toBe(1);
  await engine.must("docker", "pull", `${host}/team/app:1`);
}, 30_000);
