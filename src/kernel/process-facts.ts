import { readFileSync } from "node:fs";

/** What /proc/PID/stat says of a process (proc_pid_stat(5)). */
export interface ProcessFacts {
  /** `Z` and `X` have ended. */
  readonly state: string;
  readonly parent: number;
  /** Clock ticks after boot: together with the pid it means one process, however often the number is used again. */
  readonly startTime: number;
}

/** Undefined when there is no such process. */
export function readProcessFacts(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  return parseProcessStat(text);
}

/** Pure. The name in parentheses may hold anything, parentheses too; what follows the last one is numbers. */
export function parseProcessStat(text: string): ProcessFacts | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent = ""] = fields;
  const startTime = Number(fields[19]);
  if (state === "" || !Number.isSafeInteger(startTime)) return undefined;
  return { state, parent: Number(parent), startTime };
}

/** Whether the process of this pid and start time lives: a zombie does not. */
export function isProcessAlive(pid: number, startTime: number): boolean {
  const facts = readProcessFacts(pid);
  return facts !== undefined && facts.startTime === startTime && facts.state !== "Z" && facts.state !== "X";
}
