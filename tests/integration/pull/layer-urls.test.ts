import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { digestOf } from "../../../src/formats/digest.ts";
import { mediaTypes } from "../../../src/formats/oci-image.ts";
import { TestAuthority } from "../../fixtures/certificates.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxFiles } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { GantryRegistry } from "../registry-server/gantry-registry.ts";
import { type ImageToPush, pushImage } from "./push-image.ts";

/** A server of files with a certificate, on loopback: reached only where the engine's configuration allows it. */
const directory = scratchDirectory("layer-urls");
const configFile = join(directory, "engine.json");
const files = new Map<string, Uint8Array<ArrayBuffer>>();
let asked: { readonly path: string; readonly range: string | undefined; readonly secrets: boolean }[] = [];
/** The next answer breaks off in its middle. */
let isCut = false;
let server: Server;
let host: string;
let engine: TestEngine;
let registry: GantryRegistry;
let other: GantryRegistry;

beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  const authority = await TestAuthority.create(directory);
  const { cert, key } = await authority.issue("localhost");
  server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const { url = "", headers } = request;
    const secrets = headers.authorization !== undefined || headers.cookie !== undefined;
    asked.push({ path: url, range: headers.range, secrets });
    const bytes = files.get(url);
    if (bytes === undefined) return void response.writeHead(404).end();
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": bytes.length - start,
      ...(start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (!isCut) return void response.end(bytes.subarray(start));
    isCut = false;
    response.write(bytes.subarray(start, bytes.length >> 1), () => setTimeout(() => response.destroy(), 50));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  host = `localhost:${typeof address === "object" && address !== null ? address.port : 0}`;
  const certificates = join(directory, "certs.d", host);
  mkdirSync(certificates, { recursive: true });
  copyFileSync(authority.cert, join(certificates, "ca.crt"));
  writeFileSync(configFile, JSON.stringify({ "layer-url-hosts": [host] }));
  [registry, other] = await Promise.all([GantryRegistry.start(), GantryRegistry.start()]);
  // Two: one for what is cut, none to wait for a registry that will not.
  const args = ["--config-file", configFile, "--max-download-attempts", "2"];
  engine = await TestEngine.start({ name: "layer-urls", args });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  server?.close();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);
beforeEach(() => {
  asked = [];
});

async function reload(settings: object): Promise<void> {
  const answers = () => readFileSync(engine.logPath, "utf8").match(/engine\.reloaded/g)?.length ?? 0;
  const before = answers();
  writeFileSync(configFile, JSON.stringify(settings));
  process.kill(engine.pid, "SIGHUP");
  await waitFor("the answer to SIGHUP in the log", () => answers() > before);
}

/** An image whose lowest layer the server has, and no registry. */
async function pushForeign(
  name: string,
  format: ImageToPush["format"],
  layerType: string,
  url: string,
  compression: ImageToPush["compression"] = "gzip",
) {
  const path = new URL(url).pathname;
  const pushed = await pushImage(registry.host, name, "1", {
    layers: [await busyboxFiles(), [{ name: "top", content: name }]],
    ...{ compression, format },
    foreign: {
      layerType,
      urls: [`https://${host}/nothing/here`, url],
      keep: (layer) => files.set(path, layer),
    },
  });
  return { ...pushed, path, image: `${registry.host}/${name}:1` };
}

describe.each(clients)("with %s", (client) => {
  test.each([
    ["oci", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"],
    ["docker", mediaTypes.dockerForeignLayerGzip],
  ] as const)(
    "a foreign layer (%s) comes from its URL, stays there at a push, and goes up where that is allowed",
    async (format, layerType) => {
      const { image, digest, path } = await pushForeign(
        `${client}/${format}`,
        format,
        layerType,
        `https://${host}/${client}/${format}`,
      );
      isCut = true;
      expect(await engine.must(client, "pull", image)).toContain(`Digest: ${digest}`);
      expect(asked.map((each) => each.path)).toEqual(["/nothing/here", path, path]);
      expect(asked[2]?.range).toMatch(/^bytes=[1-9]\d*-$/);
      expect(asked.some(({ secrets }) => secrets)).toBe(false);
      expect(await engine.must(client, "run", "--rm", image, "cat", "/top")).toBe(`${client}/${format}`);

      const archive = join(directory, `${client}-${format}.tar`);
      await engine.must(client, "save", "-o", archive, image);
      const manifest = await mustRun(["tar", "-xOf", archive, `blobs/${digest.replace(":", "/")}`]);
      expect(digestOf(manifest)).toBe(digest);
      expect(JSON.parse(manifest).layers[0]).toMatchObject({
        mediaType: layerType,
        urls: [expect.any(String), `https://${host}${path}`],
      });
      await engine.must(client, "rmi", image);
      await engine.must(client, "load", "-i", archive);

      const target = `${other.host}/${client}/${format}:1`;
      await engine.must(client, "tag", image, target);
      const output = await engine.must(client, "push", target);
      expect(output.match(/: Skipped foreign layer$/gm)).toHaveLength(1);
      expect(output).toContain(`1: digest: ${digest}`);
      await engine.must(client, "rmi", image, target);
      expect(await engine.must(client, "pull", target)).toContain(`Digest: ${digest}`);

      await reload({ "layer-url-hosts": [host], "allow-nondistributable-artifacts": [other.host] });
      const allowed = await engine.must(client, "push", target);
      expect(allowed).not.toContain("Skipped foreign layer");
      expect(allowed).toContain(`1: digest: ${digest}`);
      await engine.must(client, "rmi", target);
      files.delete(path);
      asked = [];
      expect(await engine.must(client, "pull", target)).toContain(`Digest: ${digest}`);
      expect(asked).toEqual([]);
      await engine.must(client, "rmi", target);
      await reload({ "layer-url-hosts": [host] });
    },
    30_000,
  );

  test("a URL into the machine is not asked unless the configuration names it", async () => {
    const { image } = await pushForeign(
      `${client}/inside`,
      "docker",
      mediaTypes.dockerForeignLayerGzip,
      `https://${host}/${client}/inside`,
    );
    await reload({});
    const { exitCode, stderr } = await engine[client](["pull", image]);
    await reload({ "layer-url-hosts": [host] });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`https://${host} is not asked: it is not on the public internet`);
    if (client === "gantry") expect(stderr).toContain(`allow it with --layer-url-host ${host}`);
    expect(asked).toEqual([]);
  });

  test("other bytes at the URL are refused, and nothing of them is kept", async () => {
    const { image, path } = await pushForeign(
      `${client}/lying`,
      "docker",
      mediaTypes.dockerForeignLayerGzip,
      `https://${host}/${client}/lying`,
    );
    const honest = files.get(path);
    files.set(path, new Uint8Array(honest?.length ?? 0));
    const { exitCode, stderr } = await engine[client](["pull", image]);
    expect(exitCode).toBe(1);
    expect(stderr).not.toBe("");
    expect(await engine.must(client, "images", "-q", "-a")).toBe("");
    if (honest) files.set(path, honest);
    await engine.must(client, "pull", image);
    await engine.must(client, "rmi", image);
  });
});

test.each([
  ["zstd", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"],
  ["plain", "application/vnd.oci.image.layer.nondistributable.v1.tar"],
] as const)("a foreign layer that is %s comes from its URL as well", async (compression, layerType) => {
  const url = `https://${host}/${compression}`;
  const { image } = await pushForeign(compression, "oci", layerType, url, compression);
  await engine.must("gantry", "pull", image);
  expect(await engine.must("gantry", "run", "--rm", image, "cat", "/top")).toBe(compression);
  await engine.must("gantry", "rmi", image);
});

test("a registry that wants URLs to be allowed takes them then, and the refusal says what to do", async () => {
  await using strict = await TestRegistry.start();
  await using open = await TestRegistry.start({ takesUrls: true });
  const url = `https://${host}/strict`;
  const { image, digest } = await pushForeign("strict", "docker", mediaTypes.dockerForeignLayerGzip, url);
  await engine.must("gantry", "pull", image);
  for (const { host: name } of [strict, open]) await engine.must("gantry", "tag", image, `${name}/app:1`);
  const { exitCode, stderr } = await engine.gantry(["push", `${strict.host}/app:1`]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("distribution: validation.manifests.urls");
  expect(await engine.must("gantry", "push", `${open.host}/app:1`)).toContain(`1: digest: ${digest}`);
  await engine.must("gantry", "rmi", image, `${strict.host}/app:1`, `${open.host}/app:1`);
  asked = [];
  await engine.must("gantry", "pull", `${open.host}/app:1`);
  expect(asked.map(({ path }) => path)).toEqual(["/nothing/here", "/strict"]);
  await engine.must("gantry", "rmi", `${open.host}/app:1`);
}, 30_000);

test("info shows the registries that are sent foreign layers", async () => {
  await reload({ "allow-nondistributable-artifacts": [other.host, "198.51.100.0/24"] });
  const { RegistryConfig } = await engine.json("GET", "/info");
  expect(RegistryConfig.AllowNondistributableArtifactsHostnames).toEqual([other.host]);
  expect(RegistryConfig.AllowNondistributableArtifactsCIDRs).toEqual(["198.51.100.0/24"]);
});
