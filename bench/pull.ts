import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { type ImageTool, imageTools } from "./image-tools.ts";
import {
  type Contestant,
  commandContestant,
  type Measurement,
  measure,
  summarize,
  timeCommand,
} from "./measure.ts";
import type { World } from "./world.ts";

/**
 * A Debian image of ten layers from a registry on loopback: downloaded and unpacked with nothing of it there before, asked
 * for again when all is there, and removed.
 */
export const benchmark: Benchmark = {
  name: "pull",
  promises: [
    { what: "cold pull of ten layers, to `docker pull`", of: "gantry", to: "docker", atMost: 0.5 },
    { what: "cold pull of ten layers, to `podman pull`", of: "gantry", to: "podman", atMost: 0.6 },
    { what: "cold pull of ten layers, to `ctr images pull`", of: "gantry", to: "ctr", atMost: 0.6 },
    { what: "pull of what is there, to `docker pull`", of: "gantry again", to: "docker again", atMost: 0.3 },
    { what: "`rmi` of ten layers, to `docker rmi`", of: "gantry rmi", to: "docker rmi", atMost: 0.3 },
  ],
  async run(world: World) {
    const image = `${world.registry.host}/debian:ten`;
    const tools = imageTools(world);
    const removals = new Map<string, number[]>(tools.map(({ name }) => [name, []]));
    const cold = await measure(
      tools.map((tool) => puller(tool, image, removals)),
      { warmUp: 1, counted: 5 },
    );
    for (const { pull, env } of tools) await mustRun(pull(image), { env });
    const warm = await measure(
      tools.map(({ name, pull, env }) => commandContestant(`${name} again`, pull(image), env)),
      { warmUp: 1, counted: 10 },
    );
    for (const { remove, env } of tools) await mustRun(remove(image), { env });
    return [...cold, ...warm, ...tools.map(({ name }) => removal(name, removals))];
  },
};

function puller(
  { name, pull, remove, env }: ImageTool,
  image: string,
  removals: Map<string, number[]>,
): Contestant {
  return {
    name,
    async round() {
      await Bun.sleep(1500); // the one before may still delete files
      const milliseconds = timeCommand(pull(image), env);
      removals.get(name)?.push(timeCommand(remove(image), env));
      return milliseconds;
    },
  };
}

const removal = (name: string, removals: ReadonlyMap<string, readonly number[]>): Measurement =>
  summarize(`${name} rmi`, "ms", removals.get(name)?.slice(1) ?? []);
