import { mustRun } from "../tests/fixtures/command.ts";
import type { Benchmark } from "./benchmark.ts";
import { commandContestant, measure } from "./measure.ts";
import type { World } from "./world.ts";

/** A further process in a running container. */
export const benchmark: Benchmark = {
  name: "exec",
  promises: [{ what: "`exec C true`, to `docker exec`", of: "gantry", to: "docker", atMost: 0.15 }],
  async run(world: World) {
    const sleeper = ["run", "-d", "--name", "target"];
    await mustRun(world.gantry(...sleeper, "busybox", "sleep", "3600"), { env: world.gantryEnv });
    await mustRun(world.docker(...sleeper, "busybox", "sleep", "3600"), { env: world.dockerEnv });
    await mustRun(
      world.podman(...sleeper, "--network", "none", ...world.podmanLimits, "busybox", "sleep", "3600"),
    );
    await mustRun(world.ctr("run", "-d", world.ctrImage, "target", "sleep", "3600"));
    let serial = 0;
    const measured = await measure(
      [
        commandContestant("gantry", world.gantry("exec", "target", "true"), world.gantryEnv),
        commandContestant("docker", world.docker("exec", "target", "true"), world.dockerEnv),
        commandContestant("podman", world.podman("exec", "target", "true")),
        commandContestant("ctr", () =>
          world.ctr("tasks", "exec", "--exec-id", `e${serial++}`, "target", "true"),
        ),
      ],
      { warmUp: 2, counted: 20 },
    );
    await mustRun(world.gantry("rm", "-f", "target"), { env: world.gantryEnv });
    await mustRun(world.docker("rm", "-f", "target"), { env: world.dockerEnv });
    await mustRun(world.podman("rm", "-f", "-t", "0", "target"));
    await mustRun(world.ctr("tasks", "delete", "--force", "target"));
    await mustRun(world.ctr("containers", "delete", "target"));
    return measured;
  },
};
