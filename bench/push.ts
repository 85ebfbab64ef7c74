import { mustRun } from "../tests/fixtures/command.ts";
import { TestRegistry } from "../tests/fixtures/registry.ts";
import type { Benchmark } from "./benchmark.ts";
import { type ImageTool, imageTools } from "./image-tools.ts";
import { type Contestant, measure, timeCommand } from "./measure.ts";
import type { World } from "./world.ts";

/** A pulled image of ten layers to a registry that has nothing of it. */
export const benchmark: Benchmark = {
  name: "push",
  promises: [
    { what: "push to an empty registry, to `ctr images push`", of: "gantry", to: "ctr", atMost: 1 },
    { what: "push to an empty registry, to `docker push`", of: "gantry", to: "docker", atMost: 0.5 },
  ],
  async run(world: World) {
    const image = `${world.registry.host}/debian:ten`;
    const tools = imageTools(world);
    for (const { pull, env } of tools) await mustRun(pull(image), { env });
    const measured = await measure(
      tools.map((tool) => pusher(tool, image)),
      { warmUp: 1, counted: 4 },
    );
    for (const { remove, env } of tools) await mustRun(remove(image), { env });
    return measured;
  },
};

function pusher({ name, tag, push, remove, env }: ImageTool, image: string): Contestant {
  return {
    name,
    async round() {
      await using registry = await TestRegistry.start();
      const target = `${registry.host}/pushed:ten`;
      await mustRun(tag(image, target), { env });
      const milliseconds = timeCommand(push(target), env);
      await mustRun(remove(target), { env });
      return milliseconds;
    },
  };
}
