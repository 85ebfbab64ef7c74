import type { Benchmark } from "./benchmark.ts";
import { commandContestant, measure } from "./measure.ts";
import type { World } from "./world.ts";

/** The main promise: a container from start to exit, everything included. */
export const benchmark: Benchmark = {
  name: "run-container",
  promises: [
    { what: "`run --rm true` with a bridge, to `docker run`", of: "gantry", to: "docker", atMost: 0.08 },
    {
      what: "`run --rm true` with a bridge, to a bare `crun run`",
      of: "gantry",
      to: "crun run",
      atMost: 1.5,
    },
  ],
  async run(world: World) {
    let serial = 0;
    const fresh = () => `bench${serial++}`;
    const none = ["--network", "none"];
    return measure(
      [
        commandContestant("gantry", world.gantry("run", "--rm", "busybox", "true"), world.gantryEnv),
        commandContestant(
          "gantry, no network",
          world.gantry("run", "--rm", ...none, "busybox", "true"),
          world.gantryEnv,
        ),
        commandContestant(
          "docker client on gantry",
          world.docker("run", "--rm", "busybox", "true"),
          world.dockerOnGantryEnv,
        ),
        commandContestant("docker", world.docker("run", "--rm", "busybox", "true"), world.dockerEnv),
        commandContestant(
          "docker, no network",
          world.docker("run", "--rm", ...none, "busybox", "true"),
          world.dockerEnv,
        ),
        commandContestant("podman", world.podman("run", "--rm", ...world.podmanLimits, "busybox", "true")),
        commandContestant(
          "podman, no network",
          world.podman("run", "--rm", ...none, ...world.podmanLimits, "busybox", "true"),
        ),
        commandContestant("ctr run", () => world.ctr("run", "--rm", world.ctrImage, fresh(), "true")),
        commandContestant("runc run", () => ["runc", "run", "-b", world.bundle, fresh()]),
        commandContestant("crun run", () => ["crun", "run", "-b", world.bundle, fresh()]),
      ],
      { warmUp: 2, counted: 20 },
    );
  },
};
