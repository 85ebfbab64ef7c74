import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { hostArchitecture, packTar } from "../scripts/image-archive.ts";
import { mustRun } from "../tests/fixtures/command.ts";
import { TestRegistry } from "../tests/fixtures/registry.ts";
import type { Benchmark } from "./benchmark.ts";
import { summarize } from "./measure.ts";
import { memoryOf } from "./process-memory.ts";
import type { World } from "./world.ts";

const layers = 8;
const layerBytes = 128 << 20;
const sampleMs = 20;

/** An image of 1 GiB: what its pull costs in memory, and how long the engine is deaf meanwhile. */
export const benchmark: Benchmark = {
  name: "large-pull",
  promises: [
    { what: "memory while pulling 1 GiB, MiB over idle", of: "gantry growth", atMost: 150 },
    { what: "ping while pulling 1 GiB, worst, ms", of: "gantry worst ping", atMost: 20 },
  ],
  async run(world: World) {
    const storage = join(world.directory, "large-registry");
    await using registry = await TestRegistry.start({ storage });
    const image = `${registry.host}/large:latest`;
    const layout = await makeLayout(world);
    await mustRun(["skopeo", "copy", "--dest-tls-verify=false", `oci:${layout}`, `docker://${image}`], {
      timeoutMs: 300_000,
    });
    await mustRun(["rm", "-rf", layout]);
    const engine = () => memoryOf(world.enginePids("gantry"), "Rss");
    const idle = engine();
    const pings: number[] = [];
    let peak = idle;
    let pulling = true;
    const watch = (async () => {
      while (pulling) {
        pings.push(await timePing(world.gantryEnv.GANTRY_HOST?.slice("unix://".length) ?? ""));
        peak = Math.max(peak, engine());
        await Bun.sleep(sampleMs);
      }
    })();
    const start = Bun.nanoseconds();
    await mustRun(world.gantry("pull", image), { env: world.gantryEnv, timeoutMs: 300_000 });
    const milliseconds = (Bun.nanoseconds() - start) / 1e6;
    pulling = false;
    await watch;
    await mustRun(world.gantry("rmi", "-f", image), { env: world.gantryEnv });
    await mustRun(["rm", "-rf", storage]);
    return [
      summarize("gantry pull", "ms", [milliseconds]),
      summarize("gantry growth", "MiB", [(peak - idle) / 1024]),
      summarize("gantry ping", "ms", pings),
      summarize("gantry worst ping", "ms", [Math.max(...pings)]),
    ];
  },
};

/** One request on a connection of its own, to the first byte of the answer. */
function timePing(socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = Bun.nanoseconds();
    const connection = connect(socket, () => connection.write("GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"));
    connection.once("error", reject);
    connection.once("data", () => {
      resolve((Bun.nanoseconds() - start) / 1e6);
      connection.destroy();
    });
  });
}

/** Layers of random bytes, stored in gzip without compression: all work is transport, hashing and writing. */
async function makeLayout(world: World): Promise<string> {
  const layout = join(world.directory, "large");
  const blobs = join(layout, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Uint8Array) => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown) => put(Buffer.from(JSON.stringify(value)));
  const made = Array.from({ length: layers }, (_, index) => {
    const tar = packTar([{ name: `part${index}`, content: randomFillSync(new Uint8Array(layerBytes)) }]);
    const diffId = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
    return { diffId, blob: put(Bun.gzipSync(tar, { level: 0 })) };
  });
  const config = json({
    architecture: hostArchitecture(),
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: made.map(({ diffId }) => diffId) },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: made.map(({ blob }) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...blob })),
  });
  const manifests = [{ mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest }];
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return layout;
}
