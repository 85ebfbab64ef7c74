import { readdirSync, readFileSync } from "node:fs";
import { readProcessFacts } from "../../kernel/process-facts.ts";
import { sendSignal } from "../../kernel/processes.ts";

/** argv of the helper for a container: `leftoverProcesses` finds it by that. */
export const helperArguments = (mode: "create" | "exec", directory: string): string[] => [
  "gantry-helper",
  mode,
  directory,
];

const sigkill = 9;
const pauseMs = 2;

/**
 * Kills what a runtime that was killed in the middle left running: the helper, and the processes that it made and that have not
 * executed their program. They may not have joined their cgroups yet, so that only their command line tells.
 */
export function killLeftoverProcesses(directory: string): void {
  for (let pids = leftoverProcesses(directory); pids.length > 0; pids = leftoverProcesses(directory)) {
    for (const pid of pids) sendSignal(pid, sigkill);
    Bun.sleepSync(pauseMs);
  }
}

function leftoverProcesses(directory: string): number[] {
  const marks = (["create", "exec"] as const).map(
    (mode) => `${helperArguments(mode, directory).join("\0")}\0`,
  );
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => marks.includes(commandLine(pid)) && !["Z", "X"].includes(readProcessFacts(pid)?.state ?? "X"),
    );
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // it is gone
  }
}
