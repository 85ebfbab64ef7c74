import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { digestOf } from "../../../src/formats/digest.ts";
import { mediaTypes } from "../../../src/formats/oci-image.ts";
import { mustRun } from "../../fixtures/command.ts";
import { clients, TestEngine } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { TestRegistry } from "../../fixtures/registry.ts";
import { GantryRegistry } from "../registry-server/gantry-registry.ts";

const machine = useMachine("w16", ["busybox"]);

describe.each([
  ["Debian's docker-registry", () => TestRegistry.start()],
  ["gantry registry serve", () => GantryRegistry.start()],
])("W16 a registry of one's own: %s", (_, start) => {
  let registry: { readonly host: string } & AsyncDisposable;
  let elsewhere: TestEngine;
  beforeAll(async () => {
    registry = await start();
    elsewhere = await TestEngine.start({ name: "w16-elsewhere" });
  });
  afterAll(async () => {
    await elsewhere[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  test.each(clients)(
    "%s pushes, HTTP shows it, and another engine pulls by tag and by digest",
    async (client) => {
      const { engine } = machine;
      const repository = `${registry.host}/${client}/busybox`;
      await engine.must(client, "tag", "busybox", `${repository}:1`);
      const pushed = await engine.must(client, "push", `${repository}:1`);
      const [, digest] = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(pushed) ?? [];

      const get = (path: string) => fetch(`http://${registry.host}/v2/${path}`, { headers: { accept } });
      const manifest = await get(`${client}/busybox/manifests/1`);
      expect(manifest.headers.get("docker-content-digest")).toBe(digest ?? "");
      expect(manifest.headers.get("content-type")).toBe(mediaTypes.dockerManifest);
      const bytes = await manifest.bytes();
      expect(digestOf(bytes)).toBe(digest as never);
      const { config, layers } = JSON.parse(new TextDecoder().decode(bytes));
      for (const blob of [config, ...layers]) {
        const content = await (await get(`${client}/busybox/blobs/${blob.digest}`)).bytes();
        expect([digestOf(content), content.length]).toEqual([blob.digest, blob.size]);
      }
      expect(await (await get(`${client}/busybox/tags/list`)).json()).toEqual({
        name: `${client}/busybox`,
        tags: ["1"],
      });
      const seen = await mustRun(["skopeo", "inspect", "--tls-verify=false", `docker://${repository}:1`]);
      expect(JSON.parse(seen).Digest).toBe(digest);

      const byDigest = `${repository}@${digest}`;
      expect(await elsewhere.must(client, "pull", byDigest)).toContain(
        `Status: Downloaded newer image for ${byDigest}`,
      );
      expect(await elsewhere.must(client, "run", "--rm", byDigest, "echo", "hi")).toBe("hi");
      expect(await elsewhere.must(client, "pull", `${repository}:1`)).toContain(`Digest: ${digest}`);
      expect(await elsewhere.must(client, "inspect", "-f", "{{.Id}}", `${repository}:1`)).toBe(config.digest);
    },
  );
});

const accept = `${mediaTypes.dockerManifest}, ${mediaTypes.ociManifest}`;
