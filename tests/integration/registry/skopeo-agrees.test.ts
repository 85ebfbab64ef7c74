import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../fixtures/command.ts";
import { clients } from "../../fixtures/engine.ts";
import { busyboxArchiveFile, push } from "../../fixtures/images.ts";
import { layeredImage } from "../../fixtures/layered-image.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { scratchDirectory } from "../../fixtures/places.ts";
import { TestRegistry } from "../../fixtures/registry.ts";

const machine = useMachine("skopeo", []);

interface SkopeoView {
  readonly Digest: string;
  readonly Layers: readonly string[];
  readonly Env: readonly string[];
  readonly Architecture: string;
}

async function skopeo(
  reference: string,
): Promise<{ view: SkopeoView; configDigest: string; diffIds: string[] }> {
  const inspect = ["skopeo", "inspect", "--tls-verify=false"];
  const view = JSON.parse(await mustRun([...inspect, `docker://${reference}`]));
  const manifest = JSON.parse(await mustRun([...inspect, "--raw", `docker://${reference}`]));
  const config = JSON.parse(await mustRun([...inspect, "--config", `docker://${reference}`]));
  return { view, configDigest: manifest.config.digest, diffIds: config.rootfs.diff_ids };
}

describe.each(clients)("what %s pulls is what skopeo sees", (client) => {
  test.each(["busybox:latest", "debian:bookworm", "debian:ten"])(
    "%s",
    async (name) => {
      const { engine, registry } = machine;
      const reference = `${registry.host}/${name}`;
      const { view, configDigest, diffIds } = await skopeo(reference);
      const pulled = await engine.must(client, "pull", reference);
      expect(pulled).toContain(`Digest: ${view.Digest}`);
      const [image] = JSON.parse(await engine.must(client, "image", "inspect", reference));
      expect(image.Id).toBe(configDigest);
      expect(image.RepoDigests).toEqual([`${reference.replace(/:[a-z]+$/, "")}@${view.Digest}`]);
      expect(image.RootFS).toEqual({ Type: "layers", Layers: diffIds });
      expect(image.Architecture).toBe(view.Architecture);
      expect(image.Config.Env).toEqual(view.Env);
      await engine.must(client, "rmi", reference);
    },
    120_000,
  );

  test("pull by digest gives the same image", async () => {
    const { engine, registry } = machine;
    const { view, configDigest } = await skopeo(`${registry.host}/busybox:latest`);
    const reference = `${registry.host}/busybox@${view.Digest}`;
    await engine.must(client, "pull", reference);
    expect(await engine.must(client, "image", "inspect", "-f", "{{.Id}}", reference)).toBe(configDigest);
    await engine.must(client, "rmi", reference);
  });
});

test("OCI manifests and Docker's schema 2 of one image give the same layers", async () => {
  const { engine } = machine;
  await using registry = await TestRegistry.start();
  const directory = scratchDirectory("two-formats");
  const archive = join(directory, "layered.tar");
  writeFileSync(archive, layeredImage("layered:one"));
  const layersOf = async (format: "oci" | "v2s2"): Promise<string[]> => {
    const image = `${registry.host}/layered:${format}`;
    await push(`docker-archive:${archive}`, registry, `layered:${format}`, { format });
    await engine.must("gantry", "pull", image);
    const layers = await engine.must("gantry", "image", "inspect", "-f", "{{json .RootFS.Layers}}", image);
    await engine.must("gantry", "rmi", image);
    return JSON.parse(layers);
  };
  const layers = await layersOf("oci");
  expect(layers).toHaveLength(3);
  expect(await layersOf("v2s2")).toEqual(layers);
  rmSync(directory, { recursive: true });
}, 120_000);

test("a registry with basic authentication refuses strangers, and serves who logs in", async () => {
  const { engine } = machine;
  const credentials = { username: "reader", password: "open sesame" };
  await using registry = await TestRegistry.start({ credentials });
  await push(`docker-archive:${await busyboxArchiveFile()}`, registry, "busybox:latest", { credentials });
  const path = `/images/create?fromImage=${encodeURIComponent(`${registry.host}/busybox`)}&tag=latest`;

  const refused = await engine.fetch("POST", path);
  expect(refused.status).toBe(401);
  expect(await refused.text()).toContain("no basic auth credentials");

  const header = Buffer.from(JSON.stringify(credentials)).toString("base64url");
  const allowed = await fetch(`http://localhost${path}`, {
    unix: engine.socket,
    method: "POST",
    headers: { "x-registry-auth": header },
  });
  expect(allowed.status).toBe(200);
  expect(await allowed.text()).toContain("Downloaded newer image");
  await engine.must("gantry", "rmi", `${registry.host}/busybox:latest`);
});
