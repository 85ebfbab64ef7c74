import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { pushImage } from "../pull/push-image.ts";

let origin: TestRegistry;
let destination: TestRegistry;
let engine: TestEngine;
beforeAll(async () => {
  [origin, destination] = await Promise.all([TestRegistry.start(), TestRegistry.start()]);
  engine = await TestEngine.start({ name: "unstored-layer" });
}, 60_000);
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await origin?.[Symbol.asyncDispose]();
  await destination?.[Symbol.asyncDispose]();
}, 30_000);

test.each(clients)(
  "a layer that was unpacked for another image is fetched when %s push or save need it",
  async (client) => {
    const base = [{ name: "base", content: `base of ${client}` }];
    const top = [{ name: "top", content: `top of ${client}` }];
    const format = "oci";
    await pushImage(origin.host, `${client}/first`, "1", { layers: [base], compression: "gzip", format });
    const second = await pushImage(origin.host, `${client}/second`, "1", {
      layers: [base, top],
      compression: "zstd",
      format,
    });
    const [first, wanted] = [`${origin.host}/${client}/first:1`, `${origin.host}/${client}/second:1`];
    await engine.must(client, "pull", first);
    expect(await engine.must(client, "pull", wanted)).toContain("Already exists");
    await engine.must(client, "rmi", first);

    const target = `${destination.host}/${client}/second:1`;
    await engine.must(client, "tag", wanted, target);
    expect(await engine.must(client, "push", target)).toContain(`1: digest: ${second.digest}`);
    const { Digest, Layers } = JSON.parse(
      await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${target}`]),
    );
    expect(Digest).toBe(second.digest);
    const [hex = ""] = Layers.map((digest: string) => digest.split(":")[1]);
    expect(existsSync(join(engine.root, "content/blobs/sha256", hex))).toBe(true);

    rmSync(join(engine.root, "content/blobs/sha256", hex));
    await engine.kill();
    await engine.boot();
    const archive = join(engine.directory, `${client}.tar`);
    await engine.must(client, "save", "-o", archive, wanted);
    expect(await mustRun(["tar", "-tf", archive])).toContain(`blobs/sha256/${hex}`);
  },
);

test.each(["gzip", "zstd"] as const)(
  "a layer of an OCI image (%s) that takes the place of a Docker image's makes a manifest that others read",
  async (compression) => {
    const base = [{ name: "base", content: `base in ${compression}` }];
    const top = [{ name: "top", content: `top on ${compression}` }];
    const [host, path] = [origin.host, `mixed-${compression}`];
    await pushImage(host, `${path}/base`, "1", { layers: [base], compression, format: "oci" });
    const image = { layers: [base, top], compression: "plain", format: "docker" } as const;
    await pushImage(host, `${path}/app`, "1", image);
    for (const name of ["base", "app"]) await engine.must("gantry", "pull", `${host}/${path}/${name}:1`);

    const target = `${destination.host}/${path}:1`;
    await engine.must("gantry", "tag", `${host}/${path}/app:1`, target);
    await engine.must("gantry", "push", target);
    const source = ["--tls-verify=false", `docker://${target}`];
    const { config, layers } = JSON.parse(await mustRun(["skopeo", "inspect", "--raw", ...source]));
    expect(config.mediaType).toBe("application/vnd.oci.image.config.v1+json");
    expect(layers.map(({ mediaType }: { mediaType: string }) => mediaType)).toEqual([
      `application/vnd.oci.image.layer.v1.tar+${compression}`,
      "application/vnd.oci.image.layer.v1.tar",
    ]);
    const copy = ["skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false"];
    await mustRun([...copy, `docker://${target}`, `oci:${join(engine.directory, path)}:1`]);
  },
);
