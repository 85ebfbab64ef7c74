import { closeSync, openSync, readFileSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One program under measurement: what it is called in the table, and what a round of it does. */
export interface Contestant {
  readonly name: string;
  /** Does the work once and returns the milliseconds that count; throws when the work failed. */
  readonly round: () => number | Promise<number>;
}

export interface Measurement {
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly best: number;
  readonly worst: number;
  /** In the order of the rounds. */
  readonly samples: readonly number[];
  /** Why there are none. */
  readonly failure?: string;
}

export type Unit = "ms" | "KiB" | "MiB" | "objects";

/** The kernel takes namespaces and cgroups apart after the command that they were of: whoever comes next would wait for that. */
const restMs = 50;

/**
 * Measures all contestants in turns, so that a slow moment of the machine meets everybody, and each on a machine at rest.
 * A contestant that fails in its first round is left out, with its reason.
 */
export async function measure(
  contestants: readonly Contestant[],
  rounds: { warmUp: number; counted: number },
): Promise<Measurement[]> {
  const samples = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds.warmUp + rounds.counted; round++) {
    for (const { name, round: work } of contestants) {
      if (failures.has(name)) continue;
      await Bun.sleep(restMs);
      try {
        const milliseconds = await work();
        if (round >= rounds.warmUp) samples.get(name)?.push(milliseconds);
      } catch (error) {
        failures.set(name, error instanceof Error ? error.message : String(error));
      }
    }
  }
  return contestants.map(({ name }) => summarize(name, "ms", samples.get(name) ?? [], failures.get(name)));
}

export function summarize(
  name: string,
  unit: Unit,
  samples: readonly number[],
  failure?: string,
): Measurement {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    name,
    unit,
    median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
    best: sorted[0] ?? Number.NaN,
    worst: sorted.at(-1) ?? Number.NaN,
    samples,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** A contestant that is one command, from its start to its exit. */
export function commandContestant(
  name: string,
  argv: readonly string[] | (() => readonly string[]),
  env: Env = {},
): Contestant {
  return { name, round: () => timeCommand(typeof argv === "function" ? argv() : argv, env) };
}

export type Env = Readonly<Record<string, string>>;

const errorsPath = join(tmpdir(), `gantry-bench-errors-${process.pid}`);

/** Milliseconds from spawn to exit. Nothing else runs meanwhile: the calling thread waits. */
export function timeCommand(argv: readonly string[], env: Env = {}): number {
  // A file, no pipe: a created container inherits it, and its end would be waited for.
  const errors = openSync(errorsPath, "w+");
  try {
    const start = Bun.nanoseconds();
    const { exitCode } = Bun.spawnSync([...argv], {
      stdio: ["ignore", "ignore", errors],
      env: { ...process.env, ...env },
    });
    const milliseconds = (Bun.nanoseconds() - start) / 1e6;
    if (exitCode === 0) return milliseconds;
    const text = readFileSync(errorsPath, "utf8").trim().slice(-500);
    throw new Error(`${argv.join(" ")}: exit code ${exitCode}: ${text}`);
  } finally {
    closeSync(errors);
    unlinkSync(errorsPath);
  }
}
