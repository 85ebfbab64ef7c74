import type { Measurement } from "./measure.ts";
import type { World } from "./world.ts";

/** What docs/promises.md promises: a ratio of two measurements of one run, or a bound on one. */
export type Promised =
  | { readonly what: string; readonly of: string; readonly to: string; readonly atMost: number }
  | { readonly what: string; readonly of: string; readonly atMost: number };

/** One file of this folder. */
export interface Benchmark {
  readonly name: string;
  readonly promises: readonly Promised[];
  run(world: World): Promise<Measurement[]>;
}

export interface Verdict {
  readonly what: string;
  readonly atMost: number;
  readonly measured: number;
  readonly kept: boolean;
}

export function judge(promised: Promised, measurements: readonly Measurement[]): Verdict {
  const median = (name: string) => measurements.find((it) => it.name === name)?.median ?? Number.NaN;
  const measured = "to" in promised ? median(promised.of) / median(promised.to) : median(promised.of);
  return { what: promised.what, atMost: promised.atMost, measured, kept: measured <= promised.atMost };
}
