import type { Benchmark } from "./benchmark.ts";
import { commandContestant, measure } from "./measure.ts";
import type { World } from "./world.ts";

/** A question that the engine answers from memory: what the command line itself costs. */
export const benchmark: Benchmark = {
  name: "ps",
  promises: [{ what: "`ps`, to `docker ps`", of: "gantry", to: "docker", atMost: 0.6 }],
  async run(world: World) {
    return measure(
      [
        commandContestant("gantry", world.gantry("ps"), world.gantryEnv),
        commandContestant("docker", world.docker("ps"), world.dockerEnv),
        commandContestant("podman", world.podman("ps")),
      ],
      { warmUp: 3, counted: 40 },
    );
  },
};
