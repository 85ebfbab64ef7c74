import { readdirSync } from "node:fs";
import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { type Measurement, summarize } from "./measure.ts";
import { memoryOf, readProcess } from "./process-memory.ts";
import type { World } from "./world.ts";

const containers = 50;

/** Both engines give memory back some time after they were busy. */
const quietMs = 5000;

/**
 * What the engine weighs, and what one more running container adds: its monitor, and the engine's growth. Before and
 * after, the engine was used and then had some quiet seconds; `busy` is what it weighs right after the last start.
 */
export const benchmark: Benchmark = {
  name: "memory",
  promises: [
    { what: "one more running container, KiB of PSS", of: "gantry per container", atMost: 150 },
    { what: "a container's monitor, KiB of PSS", of: "gantry monitor", atMost: 100 },
    { what: "engine with nothing to do, MiB of RSS", of: "gantry idle", atMost: 60 },
    { what: "engine with 50 containers, MiB of RSS", of: "gantry with 50", atMost: 80 },
  ],
  async run(world: World) {
    return [
      ...(await weigh(world, "gantry", (id) => [
        world.gantry("run", "-d", "--name", id, "busybox", "sleep", "3600"),
        world.gantryEnv,
      ])),
      ...(await weigh(world, "docker", (id) => [
        world.docker("run", "-d", "--name", id, "busybox", "sleep", "3600"),
        world.dockerEnv,
      ])),
    ];
  },
};

type Command = (id: string) => readonly [argv: string[], env: Readonly<Record<string, string>>];

async function weigh(world: World, name: "gantry" | "docker", start: Command): Promise<Measurement[]> {
  const ids = Array.from({ length: containers }, (_, index) => `weigh${index}`);
  const engine = () => world.enginePids(name);
  const [warmUp, env] = start("warm-up");
  const remove = (...names: string[]) =>
    mustRun((name === "gantry" ? world.gantry : world.docker)("rm", "-f", ...names), { env });
  await mustRun(warmUp, { env });
  await remove("warm-up");
  await Bun.sleep(quietMs);
  const idleRss = memoryOf(engine(), "Rss");
  const idlePss = memoryOf(engine(), "Pss");
  const started: string[] = [];
  for (const id of ids) started.push((await mustRun(start(id)[0], { env })).trim());
  const busyRss = memoryOf(engine(), "Rss");
  await Bun.sleep(quietMs);
  const fullRss = memoryOf(engine(), "Rss");
  const growth = memoryOf(engine(), "Pss") - idlePss;
  const monitors = memoryOf(pidsOfMonitors(name, started), "Pss");
  await remove(...ids);
  return [
    summarize(`${name} just started`, "MiB", [world.idleRssKiB(name) / 1024]),
    summarize(`${name} idle`, "MiB", [idleRss / 1024]),
    summarize(`${name} with ${containers}`, "MiB", [fullRss / 1024]),
    summarize(`${name} with ${containers}, busy`, "MiB", [busyRss / 1024]),
    summarize(`${name} monitor`, "KiB", [monitors / containers]),
    summarize(`${name} engine's growth`, "KiB", [growth / containers]),
    summarize(`${name} per container`, "KiB", [(growth + monitors) / containers]),
  ];
}

/** The long-lived process beside each container: ours, and containerd's. Both have its id in their arguments. */
function pidsOfMonitors(name: "gantry" | "docker", ids: readonly string[]): number[] {
  const pattern = name === "gantry" ? /^gantry-shim/ : /^[^\0]*containerd-shim/;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const words = readProcess(Number(pid), "cmdline");
      return pattern.test(words) && ids.some((id) => words.includes(id));
    })
    .map(Number);
}
