import { readFileSync } from "node:fs";

/** KiB over all the processes, from smaps_rollup: resident, or with shared pages divided among their users. */
export function memoryOf(pids: readonly number[], field: "Rss" | "Pss"): number {
  return pids.reduce((total, pid) => {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readProcess(pid, "smaps_rollup"));
    return total + Number(found?.[1] ?? 0);
  }, 0);
}

/** A file of /proc/PID; empty when the process has ended meanwhile. */
export function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
