import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { Integer64, OciMemory } from "../../formats/oci-runtime.ts";

/** -1 is `word`. */
export const orWord = (value: Integer64, word: string): string => (value < 0 ? word : String(value));

/**
 * cpu.shares (2 to 262144, 1024 by default) as cpu.weight (1 to 10000, 100 by default), on the curve through the three
 * points that runc and systemd agree on.
 */
export function cpuWeight(shares: Integer64): number {
  const value = Number(shares);
  if (value <= 2) return 1;
  if (value >= 262144) return 10000;
  const log = Math.log2(value);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blkio.weight (10 to 1000) as io.weight (1 to 10000). */
export const ioWeight = (weight: number): number => 1 + Math.trunc(((weight - 10) * 9999) / 990);

/**
 * The swap alone, as memory.swap.max wants it; the spec's `swap` is memory and swap together. Undefined leaves it.
 * Errors: InvalidParameter where the sum is smaller than its part, or there is no part.
 */
export function swapOnly(memory: OciMemory): string | undefined {
  const { limit, swap } = memory;
  if (swap === undefined || BigInt(swap) === 0n) return limit === -1 ? "max" : undefined;
  if (swap < 0) return "max";
  if (limit === undefined || BigInt(limit) === 0n || limit < 0)
    throw invalidParameter("linux.resources.memory.swap: needs a memory limit, which is a part of it");
  if (swap < limit)
    throw invalidParameter(
      `linux.resources.memory.swap: ${swap} is smaller than the memory limit ${limit}, which is a part of it`,
    );
  return String(BigInt(swap) - BigInt(limit));
}

export const notOnThisVersion = (field: string, version: 1 | 2) =>
  notImplemented(`linux.resources.${field}: cgroup v${version} has no such limit`);

export const missingController = (field: string, controller: string) =>
  notImplemented(
    `linux.resources.${field}: the cgroup controller ${controller} is not available on this host`,
  );
