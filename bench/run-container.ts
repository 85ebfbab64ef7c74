import type { Benchmark } from "./benchmark.ts";
import { commandContestant, measure, summarize } from "./measure.ts";
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
    { what: "the engine's share, ms", of: "gantry, within the engine", atMost: 10 },
  ],
  async run(world: World) {
    let serial = 0;
    const fresh = () => `bench${serial++}`;
    const none = ["--network", "none"];
    const measured = await measure(
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
    return [...measured, summarize("gantry, within the engine", "ms", await engineShares(world, 20))];
  },
};

/** What the engine needs for a container: the answer to its creation, and the start by the engine's own account. */
async function engineShares(world: World, count: number): Promise<number[]> {
  const unix = world.gantrySocket;
  const creations: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = Bun.nanoseconds();
    const response = await fetch("http://localhost/containers/create", {
      unix,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Image: "busybox", Cmd: ["true"], HostConfig: { AutoRemove: true } }),
    });
    const { Id } = (await response.json()) as { Id: string };
    creations.push((Bun.nanoseconds() - start) / 1e6);
    await fetch(`http://localhost/containers/${Id}/start`, { unix, method: "POST" });
    await fetch(`http://localhost/containers/${Id}/wait?condition=removed`, { unix, method: "POST" });
    await Bun.sleep(50); // as between commands of a user: what is made ahead is there again
  }
  const starts = (await world.gantryLog()).filter(({ event }) => event === "container.started").slice(-count);
  return creations.map((creation, index) => creation + Number(starts[index]?.totalMs));
}
