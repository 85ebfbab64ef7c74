import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { hostArchitecture, packTar } from "../scripts/image-archive.ts";
import { mustRun } from "../tests/fixtures/command.ts";
import { TestRegistry } from "../tests/fixtures/registry.ts";
import { waitFor } from "../tests/fixtures/wait-for.ts";
import type { Benchmark } from "./benchmark.ts";
import { type Measurement, summarize } from "./measure.ts";
import { memoryOf } from "./process-memory.ts";
import { answersPing, type World } from "./world.ts";

const layers = 8;
const layerBytes = 128 << 20;
const pingEveryMs = 20;
const weighEveryMs = 100;

/**
 * An image of 1 GiB: what its pull costs in memory, and how long the engine is deaf while the image is moved. A server
 * that does nothing is asked at the same time: what it takes, the machine takes.
 */
export const benchmark: Benchmark = {
  name: "large-pull",
  promises: [
    { what: "memory while pulling 1 GiB, MiB over idle", of: "gantry growth", atMost: 150 },
    {
      what: "ping while 1 GiB is moved, worst, ms over an idle server's",
      of: "gantry late, moved",
      atMost: 20,
    },
    { what: "the same while 1 GiB is committed", of: "gantry late, commit", atMost: 20 },
  ],
  async run(world: World) {
    const storage = join(world.directory, "large-registry");
    await using registry = await TestRegistry.start({ storage });
    const image = `${registry.host}/large:latest`;
    const archive = join(world.directory, "large.tar");
    const layout = await makeLayout(world);
    await mustRun(["skopeo", "copy", "--dest-tls-verify=false", `oci:${layout}`, `docker://${image}`], {
      timeoutMs: 300_000,
    });
    await mustRun(["rm", "-rf", layout]);
    const run = (...args: string[]) =>
      mustRun(world.gantry(...args), { env: world.gantryEnv, timeoutMs: 300_000 });
    using idleServer = await startIdleServer(join(world.directory, "idle.sock"));
    using probe = startProbe(world.gantrySocket, idleServer.socket);
    /** By how many milliseconds the engine's worst answer was later than the idle server's at that moment. */
    const late = new Map<string, number>();
    const idlePings: number[] = [];
    const measurements: Measurement[] = [];
    const watched = async (name: string, act: () => Promise<unknown>) => {
      await probe.end();
      const start = Bun.nanoseconds();
      await act();
      const milliseconds = (Bun.nanoseconds() - start) / 1e6;
      const moments = await probe.end();
      idlePings.push(...moments.map(({ idle }) => idle));
      late.set(name, Math.max(...moments.map(({ engine, idle }) => engine - idle)));
      measurements.push(summarize(`gantry ${name}`, "ms", [milliseconds]));
      const answered = moments.map(({ engine }) => engine);
      measurements.push(summarize(`gantry ping, ${name}`, "ms", answered));
    };

    const weigh = () => memoryOf(world.enginePids("gantry"), "Rss");
    const idleKiB = weigh();
    const weighing = repeatWhile(weighEveryMs, async () => weigh());
    await watched("pull", () => run("pull", image));
    const peakKiB = Math.max(...(await weighing.stop()));
    const storedAgain = join(world.directory, "large-target");
    await using target = await TestRegistry.start({ storage: storedAgain });
    await run("tag", image, `${target.host}/large`);
    await watched("push", () => run("push", `${target.host}/large`));
    await run("rmi", `${target.host}/large`);
    await mustRun(["rm", "-rf", storedAgain]);
    await watched("save", () => run("save", "-o", archive, image));
    await watched("rmi", () => run("rmi", "-f", image));
    await watched("load", () => run("load", "-i", archive));
    await run("rmi", "-f", image);
    await mustRun(["rm", "-rf", storage, archive]);
    const container = (await run("create", "busybox", "dd", ...randomFile)).trim();
    await run("start", "-a", container);
    const moved = Math.max(...late.values());
    await watched("commit", () => run("commit", container, "large-commit"));
    await run("rm", container);
    await run("rmi", "large-commit");
    return [
      ...measurements,
      summarize("gantry growth", "MiB", [(peakKiB - idleKiB) / 1024]),
      summarize("idle server ping", "ms", idlePings),
      summarize("gantry late, moved", "ms", [moved]),
      summarize("gantry late, commit", "ms", [late.get("commit") ?? Number.NaN]),
    ];
  },
};

const randomFile = ["if=/dev/urandom", "of=/large", "bs=1M", `count=${(layers * layerBytes) >> 20}`];

/** Does `act` again and again, with a pause between, until it is stopped; then it tells all results. */
function repeatWhile(pauseMs: number, act: () => Promise<number>): { stop(): Promise<number[]> } {
  let isWanted = true;
  const results = (async () => {
    const found: number[] = [];
    do {
      found.push(await act());
      await Bun.sleep(pauseMs);
    } while (isWanted);
    return found;
  })();
  return {
    stop: () => {
      isWanted = false;
      return results;
    },
  };
}

/** A process that answers requests and has nothing else to do. */
async function startIdleServer(socket: string): Promise<Disposable & { readonly socket: string }> {
  const program =
    'require("node:http").createServer((_, answer) => answer.end("OK")).listen(process.argv[1])';
  const server = Bun.spawn([process.execPath, "-e", program, socket], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await waitFor("the idle server to answer", () => answersPing(socket));
  return { socket, [Symbol.dispose]: () => server.kill() };
}

interface Moment {
  readonly engine: number;
  readonly idle: number;
}

/** `end` of a period: how long both took at each moment of it, in milliseconds. */
function startProbe(engine: string, idle: string): Disposable & { end(): Promise<Moment[]> } {
  const program = join(import.meta.dirname, "ping-probe.ts");
  const probe = Bun.spawn([process.execPath, program, String(pingEveryMs), engine, idle], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(Readable.fromWeb(probe.stdout as never))[Symbol.asyncIterator]();
  return {
    async end() {
      probe.stdin.write("\n");
      probe.stdin.flush();
      const { value, done } = await lines.next();
      if (done) throw new Error("the probe of pings ended");
      return (JSON.parse(value) as [number, number][]).map(([engine, idle]) => ({ engine, idle }));
    },
    [Symbol.dispose]: () => probe.kill(),
  };
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
