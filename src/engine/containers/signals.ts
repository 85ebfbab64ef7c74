import { constants } from "node:os";
import { invalidParameter } from "../../errors/platform-error.ts";

const lowestRealTime = 34;
const highestRealTime = 64;

/** `KILL`, `SIGKILL`, `9`, `RTMIN+3` as the signal's number. Errors: InvalidParameter with Docker's wording. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOf(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number < 1 || number > highestRealTime) {
    throw invalidParameter(`invalid signal: ${text}`);
  }
  return number;
}

function numberOf(name: string): number | undefined {
  const realTime = /^RTM(IN|AX)(?:([+-])(\d+))?$/.exec(name);
  if (!realTime) return constants.signals[`SIG${name}` as NodeJS.Signals];
  const base = realTime[1] === "IN" ? lowestRealTime : highestRealTime;
  const number = base + Number(`${realTime[2] ?? "+"}${realTime[3] ?? 0}`);
  return number >= lowestRealTime && number <= highestRealTime ? number : undefined;
}

export const sigterm = 15;
export const sigkill = 9;
