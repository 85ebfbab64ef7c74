import { rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { type ImageTool, imageTools } from "./image-tools.ts";
import { type Contestant, measure, timeCommand } from "./measure.ts";
import type { World } from "./world.ts";

/** A Debian image of ten layers to a file and back from it. */
export const benchmark: Benchmark = {
  name: "archives",
  promises: [
    { what: "`load` of ten layers, to `docker load`", of: "gantry load", to: "docker load", atMost: 0.5 },
    { what: "`save` of ten layers, to `docker save`", of: "gantry save", to: "docker save", atMost: 0.5 },
  ],
  async run(world: World) {
    const image = `${world.registry.host}/debian:ten`;
    const tools = imageTools(world);
    for (const { pull, env } of tools) await mustRun(pull(image), { env });
    const path = (name: string) => join(world.directory, `${name}.tar`);
    const saved = await measure(
      tools.map((tool) => saver(tool, image, path)),
      { warmUp: 1, counted: 4 },
    );
    for (const { remove, env } of tools) await mustRun(remove(image), { env });
    // One archive for all: Docker's, which each of them reads.
    const loaded = await measure(
      tools.map((tool) => loader(tool, image, path("docker"))),
      { warmUp: 1, counted: 4 },
    );
    for (const { name } of tools) rmSync(path(name), { force: true });
    return [...saved, ...loaded];
  },
};

function saver({ name, save, env }: ImageTool, image: string, path: (name: string) => string): Contestant {
  return {
    name: `${name} save`,
    async round() {
      rmSync(path(name), { force: true });
      return timeCommand(save(image, path(name)), env);
    },
  };
}

function loader({ name, load, remove, env }: ImageTool, image: string, path: string): Contestant {
  return {
    name: `${name} load`,
    async round() {
      await Bun.sleep(1500); // the one before may still delete files
      const milliseconds = timeCommand(load(path), env);
      await mustRun(remove(image), { env });
      return milliseconds;
    },
  };
}
