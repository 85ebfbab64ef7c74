import type { Benchmark } from "./benchmark.ts";
import { type Contestant, type Env, measure } from "./measure.ts";
import type { World } from "./world.ts";

const containers = 50;
const atATime = 8;

/** Fifty containers, eight at a time, from the first command to the last one's return. */
export const benchmark: Benchmark = {
  name: "many-starts",
  promises: [
    {
      what: "50 containers started 8 at a time, to `docker run -d`",
      of: "gantry",
      to: "docker",
      atMost: 0.1,
    },
  ],
  async run(world: World) {
    const limits = world.podmanLimits;
    return measure(
      [
        starter("gantry", world.gantry, [], world.gantryEnv),
        starter("docker", world.docker, [], world.dockerEnv),
        starter("podman", world.podman, limits, {}),
      ],
      { warmUp: 0, counted: 3 },
    );
  },
};

function starter(
  name: string,
  tool: (...args: string[]) => string[],
  options: readonly string[],
  env: Env,
): Contestant {
  const run = async (argv: readonly string[]) => {
    const child = Bun.spawn([...argv], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    const errors = await child.stderr.text();
    if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")}: ${errors.trim()}`);
  };
  return {
    name,
    async round() {
      let next = 0;
      const worker = async () => {
        while (next < containers) {
          const id = `many${next++}`;
          await run(tool("run", "-d", "--name", id, ...options, "busybox", "sleep", "3600"));
        }
      };
      const start = Bun.nanoseconds();
      await Promise.all(Array.from({ length: atATime }, worker));
      const milliseconds = (Bun.nanoseconds() - start) / 1e6;
      await run(tool("rm", "-f", ...Array.from({ length: containers }, (_, index) => `many${index}`)));
      return milliseconds;
    },
  };
}
