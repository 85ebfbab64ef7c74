import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { hostArchitecture, packTar } from "../../../scripts/image-archive.ts";
import { digestOf } from "../../../src/formats/digest.ts";
import { mediaTypes } from "../../../src/formats/oci-image.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { busyboxArchiveFile } from "../../fixtures/images.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { GantryRegistry } from "../registry-server/gantry-registry.ts";
import { pushImage, pushIndex } from "./push-image.ts";

let engine: TestEngine;
let registry: GantryRegistry;
let mirror: GantryRegistry;
beforeAll(async () => {
  [registry, mirror] = await Promise.all([GantryRegistry.start(), GantryRegistry.start()]);
  engine = await TestEngine.start({ name: "odd-images" });
  await pushChunked(`${registry.host}/chunked:1`);
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await mirror?.[Symbol.asyncDispose]();
}, 30_000);

/** Podman writes layers whose files can be fetched one by one. */
async function pushChunked(image: string): Promise<void> {
  const storage = scratchDirectory("oi"); // podman takes no run root longer than 50 characters
  const places = [
    "--root",
    join(storage, "root"),
    "--runroot",
    join(storage, "run"),
    "--storage-driver",
    "vfs",
  ];
  const podman = (...args: string[]) => mustRun(["podman", ...places, ...args]);
  const loaded = await podman("load", "-q", "-i", await busyboxArchiveFile());
  const local = loaded.trim().replace("Loaded image: ", "");
  await podman(
    "push",
    "-q",
    "--tls-verify=false",
    "--compression-format",
    "zstd:chunked",
    local,
    `docker://${image}`,
  );
  rmSync(storage, { recursive: true, force: true });
}

describe.each(clients)("with %s", (client) => {
  /** What is in the root of a container of the image. */
  async function filesOf(image: string): Promise<string[]> {
    const id = await engine.must(client, "create", image, "none");
    const archive = join(engine.directory, `${client}.tar`);
    await engine.must(client, "export", "-o", archive, id);
    await engine.must(client, "rm", id);
    return (await mustRun(["tar", "-tf", archive])).trim().split("\n");
  }

  test.each(["oci", "docker"] as const)(
    "layers without files are layers like others (%s)",
    async (format) => {
      const name = `${client}/empty-${format}`;
      const layers = [[], [{ name: "file", content: client }], []];
      const pushed = await pushImage(registry.host, name, "1", { layers, compression: "gzip", format });
      const image = `${registry.host}/${name}:1`;
      expect(await engine.must(client, "pull", image)).toContain(`Digest: ${pushed.digest}`);
      const found = JSON.parse(
        await engine.must(client, "image", "inspect", "-f", "{{json .RootFS.Layers}}", image),
      );
      expect(found).toHaveLength(3);
      expect(found[2]).toBe(found[0]);
      expect(await filesOf(image)).toContain("file");
      const target = `${mirror.host}/${name}:1`;
      await engine.must(client, "tag", image, target);
      expect(await engine.must(client, "push", target)).toContain(`1: digest: ${pushed.digest}`);
      await engine.must(client, "rmi", image, target);
    },
  );

  test.each([
    ["oci", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"],
    ["docker", mediaTypes.dockerForeignLayerGzip],
  ] as const)(
    "a foreign layer (%s) is taken where the registry has it, and not pushed",
    async (format, layerType) => {
      const name = `${client}/foreign-${format}`;
      const urls = ["https://127.0.0.1:1/base"];
      const base = [{ name: "base", content: name }];
      const top = [{ name: "top", content: name }];
      const options = {
        layers: [base, top],
        compression: "gzip",
        format,
        foreign: { layerType, urls },
      } as const;
      const { digest } = await pushImage(registry.host, name, "1", options);
      const image = `${registry.host}/${name}:1`;
      await engine.must(client, "pull", image);
      expect(await filesOf(image)).toEqual(expect.arrayContaining(["base", "top"]));

      const target = `${mirror.host}/${name}:1`;
      await engine.must(client, "tag", image, target);
      const output = await engine.must(client, "push", target);
      expect(output.match(/: Skipped foreign layer$/gm)).toHaveLength(1);
      expect(output).toContain(`1: digest: ${digest}`);
      await engine.must(client, "rmi", image, target);

      const refused = await engine[client](["pull", target]);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(/layer sha256:\w+ is not in the registry, nor at its urls/);
      expect(refused.stderr).toContain(urls[0] ?? "");
      expect(await engine.must(client, "images", "-q", "-a")).toBe("");
    },
  );

  test("an index whose entry has no platform is that image", async () => {
    const name = `${client}/bare-index`;
    const options = {
      layers: [[{ name: "only", content: "" }]],
      compression: "gzip",
      format: "oci",
    } as const;
    const image = await pushImage(registry.host, name, "image", options);
    const { digest } = await pushIndex(registry.host, name, "1", [{ image }]);
    expect(await engine.must(client, "pull", `${registry.host}/${name}:1`)).toContain(`Digest: ${digest}`);
    expect(await filesOf(`${registry.host}/${name}:1`)).toContain("only");
    await engine.must(client, "rmi", `${registry.host}/${name}:1`);
  });

  test("zstd:chunked, as podman writes it, is an ordinary zstd layer", async () => {
    const image = `${registry.host}/chunked:1`;
    const raw = await mustRun(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${image}`]);
    expect(raw).toContain("io.containers.zstd-chunked.manifest-position");
    expect(await engine.must(client, "pull", image)).toContain(`Digest: ${digestOf(raw)}`);
    expect(await engine.must(client, "run", "--rm", image, "echo", "hi")).toBe("hi");
    const target = `${mirror.host}/${client}/chunked:1`;
    await engine.must(client, "tag", image, target);
    expect(await engine.must(client, "push", target)).toContain(`1: digest: ${digestOf(raw)}`);
    await engine.must(client, "rmi", image, target);
  });

  test("what a manifest carries itself is not asked for", async () => {
    const layer = gzipSync(packTar([{ name: "embedded", content: client }]));
    const config = Buffer.from(
      JSON.stringify({
        ...{ architecture: hostArchitecture(), os: "linux" },
        rootfs: { type: "layers", diff_ids: [digestOf(gunzipSync(layer))] },
      }),
    );
    const descriptor = (mediaType: string, bytes: Buffer, data = bytes) => ({
      ...{ mediaType, digest: digestOf(bytes), size: bytes.length, data: data.toString("base64") },
    });
    const manifest = (data: Buffer) =>
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: mediaTypes.ociManifest },
        config: descriptor(mediaTypes.ociConfig, config, data),
        layers: [descriptor(mediaTypes.ociLayerGzip, layer)],
      });
    const asked: string[] = [];
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => {
        const { pathname } = new URL(url);
        if (pathname.includes("/blobs/")) asked.push(pathname);
        if (!pathname.includes("/manifests/")) return new Response("{}", { status: 404 });
        const text = manifest(pathname.includes("/lying/") ? Buffer.alloc(config.length, " ") : config);
        return new Response(text, { headers: { "content-type": mediaTypes.ociManifest } });
      },
    });
    const image = `127.0.0.1:${server.port}/honest:1`;
    await engine.must(client, "pull", image);
    expect(asked).toEqual([]);
    expect(await filesOf(image)).toContain("embedded");
    await engine.must(client, "rmi", image);
    const lying = await engine[client](["pull", `127.0.0.1:${server.port}/lying:1`]);
    expect(lying.exitCode).toBe(1);
    expect(asked[0]).toBe(`/v2/lying/blobs/${digestOf(config)}`);
  });

  test("Docker's schema 1 is refused by name", async () => {
    const [bytes, mediaType] = [
      JSON.stringify({ schemaVersion: 1, name: "old", fsLayers: [] }),
      mediaTypes.dockerSchema1Signed,
    ];
    using old = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) =>
        new URL(url).pathname === "/v2/"
          ? new Response("{}")
          : new Response(bytes, { headers: { "content-type": mediaType } }),
    });
    const { exitCode, stderr } = await engine[client](["pull", `127.0.0.1:${old.port}/old:1`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("is in Docker's image format schema 1, which is not supported");
    if (client === "gantry") expect(stderr).toContain("push the image again with a current tool");
  });
});
