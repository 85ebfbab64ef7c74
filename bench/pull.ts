import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { type Contestant, type Env, measure, timeCommand } from "./measure.ts";
import type { World } from "./world.ts";

/** A Debian image of ten layers from a registry on loopback, downloaded and unpacked, nothing of it there before. */
export const benchmark: Benchmark = {
  name: "pull",
  promises: [{ what: "cold pull of ten layers, to `docker pull`", of: "gantry", to: "docker", atMost: 0.7 }],
  async run(world: World) {
    const image = `${world.registry.host}/debian:ten`;
    return measure(
      [
        puller("gantry", world.gantry("pull", image), world.gantry("rmi", "-f", image), world.gantryEnv),
        puller("docker", world.docker("pull", image), world.docker("rmi", "-f", image), world.dockerEnv),
        puller(
          "podman",
          world.podman("pull", "--tls-verify=false", image),
          world.podman("rmi", "-f", image),
          {},
        ),
      ],
      { warmUp: 1, counted: 5 },
    );
  },
};

function puller(name: string, pull: readonly string[], remove: readonly string[], env: Env): Contestant {
  return {
    name,
    async round() {
      await Bun.sleep(1500); // the one before may still delete files
      const milliseconds = timeCommand(pull, env);
      await mustRun(remove, { env });
      return milliseconds;
    },
  };
}
