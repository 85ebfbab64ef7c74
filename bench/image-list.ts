import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packImage, packTar } from "../scripts/image-archive.ts";
import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { commandContestant, measure } from "./measure.ts";
import type { World } from "./world.ts";

const few = 5;
const many = 500;

/** `images` answers from memory: a hundred times as many images shall hardly be noticed. */
export const benchmark: Benchmark = {
  name: "image-list",
  promises: [
    {
      what: `\`images\` with ${many} images, to the same with ${few}`,
      of: `gantry, ${many}`,
      to: `gantry, ${few}`,
      atMost: 1.5,
    },
  ],
  async run(world: World) {
    await load(world, 1, few);
    const rounds = { warmUp: 3, counted: 30 };
    const contestants = (count: number) => [
      commandContestant(`gantry, ${count}`, world.gantry("images"), world.gantryEnv),
      commandContestant(`docker, ${count}`, world.docker("images"), world.dockerEnv),
    ];
    const withFew = await measure(contestants(few), rounds);
    await load(world, few, many);
    const withMany = await measure(contestants(many), rounds);
    const names = Array.from({ length: many - 1 }, (_, index) => nameOf(index + 1));
    await mustRun(world.gantry("rmi", ...names), { env: world.gantryEnv });
    await mustRun(world.docker("rmi", ...names), { env: world.dockerEnv, timeoutMs: 120_000 });
    return [...withFew, ...withMany];
  },
};

const nameOf = (index: number) => `listed:${index}`;

/** Images from..to, each with a config of its own; both engines have one more from the start. */
async function load(world: World, from: number, to: number): Promise<void> {
  const layer = packTar([{ name: "file", content: "the same for all" }]);
  const path = join(world.directory, "listed.tar");
  for (let index = from; index < to; index++) {
    writeFileSync(
      path,
      packImage({ tags: [nameOf(index)], layers: [layer], config: { Labels: { index: String(index) } } }),
    );
    await mustRun(world.gantry("load", "-i", path), { env: world.gantryEnv });
    await mustRun(world.docker("load", "-i", path), { env: world.dockerEnv });
  }
  rmSync(path);
}
