import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark } from "./benchmark.ts";
import { type Contestant, measure } from "./measure.ts";
import { answersPing, type World } from "./world.ts";

/** From the start of an engine with an empty root to its first answer. */
export const benchmark: Benchmark = {
  name: "engine-start",
  promises: [{ what: "engine start to first ping, to dockerd", of: "gantry", to: "dockerd", atMost: 0.15 }],
  async run(world: World) {
    const at = (name: string) => join(world.directory, "start", name);
    mkdirSync(at("."), { recursive: true });
    const gantry = [
      ...world.gantry(
        "engine",
        "--root",
        at("g/root"),
        "--state",
        at("g/state"),
        "--host",
        `unix://${at("g.sock")}`,
      ),
      ...["--bridge", "gtbench1", "--bip", "10.253.0.1/24"],
    ];
    const dockerd = [
      ...["dockerd", "--data-root", at("d/data"), "--exec-root", at("d/exec"), "--pidfile", at("d.pid")],
      ...["-H", `unix://${at("d.sock")}`, "--bip", "10.254.0.1/24"],
    ];
    return measure([starter("gantry", gantry, at("g.sock")), starter("dockerd", dockerd, at("d.sock"))], {
      warmUp: 1,
      counted: 7,
    });
  },
};

function starter(name: string, argv: readonly string[], socket: string): Contestant {
  return {
    name,
    async round() {
      rmSync(socket, { force: true });
      const start = Bun.nanoseconds();
      const child = Bun.spawn([...argv], { stdio: ["ignore", "ignore", "ignore"] });
      try {
        while (!(await answersPing(socket))) {
          if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
          await Bun.sleep(1);
        }
        return (Bun.nanoseconds() - start) / 1e6;
      } finally {
        child.kill("SIGTERM");
        await child.exited;
      }
    },
  };
}
