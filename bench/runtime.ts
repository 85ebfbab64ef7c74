import { mustRun } from "../tests/fixtures/command.ts";
import { leaksBetween, takeInventory } from "../tests/fixtures/leaks.ts";
import type { Benchmark } from "./benchmark.ts";
import {
  type Contestant,
  commandContestant,
  type Measurement,
  measure,
  summarize,
  timeCommand,
} from "./measure.ts";
import type { World } from "./world.ts";

const inSequence = 100;
const inParallel = 50;

/** The OCI runtime by itself, with one bundle for all: no image, no network, no log. */
export const benchmark: Benchmark = {
  name: "runtime",
  promises: [
    { what: "`runtime run true`, to `crun run`", of: "gantry run", to: "crun run", atMost: 1.2 },
    { what: "`runtime run true`, to `runc run`", of: "gantry run", to: "runc run", atMost: 0.5 },
    {
      what: "the same with Docker's filter, to `crun run`",
      of: "gantry filtered",
      to: "crun filtered",
      atMost: 1,
    },
    {
      what: "the same with Docker's filter, to `runc run`",
      of: "gantry filtered",
      to: "runc filtered",
      atMost: 0.5,
    },
    { what: "`runtime create`, `start`, `delete`, to crun", of: "gantry life", to: "crun life", atMost: 1.2 },
    { what: "`runtime create`, `start`, `delete`, to runc", of: "gantry life", to: "runc life", atMost: 0.5 },
    { what: "`runtime exec true`, to `runc exec`", of: "gantry exec", to: "runc exec", atMost: 0.6 },
    { what: `left behind by ${inSequence} runs in sequence`, of: "left by a sequence", atMost: 0 },
    { what: `left behind by ${inParallel} runs in parallel`, of: "left by parallel runs", atMost: 0 },
  ],
  async run(world: World) {
    const runtimes = [
      { name: "gantry", argv: world.gantry("runtime") },
      { name: "crun", argv: ["crun"] },
      { name: "runc", argv: ["runc"] },
    ];
    const rounds = { warmUp: 2, counted: 20 };
    return [
      ...(await measure(
        runtimes.map((it) => runner("run", it, world.bundle)),
        rounds,
      )),
      ...(await measure(
        runtimes.map((it) => runner("filtered", it, world.filteredBundle)),
        rounds,
      )),
      ...(await measure(
        runtimes.map((it) => life(it, world.bundle)),
        rounds,
      )),
      ...(await measureExecs(runtimes, world.sleepingBundle, rounds)),
      ...(await countLeaks(world)),
    ];
  },
};

interface Runtime {
  readonly name: string;
  readonly argv: readonly string[];
}

let serial = 0;
const freshId = () => `bench${process.pid}x${serial++}`;

const runner = (what: string, { name, argv }: Runtime, bundle: string): Contestant =>
  commandContestant(`${name} ${what}`, () => [...argv, "run", "-b", bundle, freshId()]);

/** Three commands, as containerd's shim calls them; the wait for the process's end between is not counted. */
function life({ name, argv }: Runtime, bundle: string): Contestant {
  return {
    name: `${name} life`,
    async round() {
      const id = freshId();
      const created = timeCommand([...argv, "create", "-b", bundle, id]);
      const started = timeCommand([...argv, "start", id]);
      while (!(await mustRun([...argv, "state", id])).includes('"stopped"')) await Bun.sleep(1);
      return created + started + timeCommand([...argv, "delete", id]);
    },
  };
}

async function measureExecs(
  runtimes: readonly Runtime[],
  bundle: string,
  rounds: { warmUp: number; counted: number },
): Promise<Measurement[]> {
  const ids = runtimes.map(freshId);
  const call = (index: number, ...words: string[]) => [...(runtimes[index]?.argv ?? []), ...words];
  for (const [index, id] of ids.entries()) timeCommand(call(index, "run", "-d", "-b", bundle, id));
  try {
    const execs = ids.map((id, index) =>
      commandContestant(`${runtimes[index]?.name} exec`, call(index, "exec", id, "true")),
    );
    return await measure(execs, rounds);
  } finally {
    for (const [index, id] of ids.entries()) await mustRun(call(index, "delete", "-f", id));
  }
}

/** Mounts, cgroups, links, processes and files that are there after the runs and were not before. */
async function countLeaks(world: World): Promise<Measurement[]> {
  const run = () => mustRun(world.gantry("runtime", "run", "-b", world.bundle, freshId()));
  const before = await takeInventory();
  for (let count = 0; count < inSequence; count++) await run();
  const between = await takeInventory();
  await Promise.all(Array.from({ length: inParallel }, run));
  const after = await takeInventory();
  const count = (name: string, leaks: readonly string[]): Measurement => {
    for (const leak of leaks) console.log(`  left: ${leak}`);
    return summarize(name, "objects", [leaks.length]);
  };
  return [
    count("left by a sequence", leaksBetween(before, between)),
    count("left by parallel runs", leaksBetween(between, after)),
  ];
}
