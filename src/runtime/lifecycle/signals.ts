import { constants } from "node:os";
import { invalidParameter } from "../../errors/platform-error.ts";

const lowestRealTime = 34;
const highestRealTime = 64;

/** `KILL`, `sigkill`, `9`, `RTMIN+3` as the signal's number. Errors: InvalidParameter. */
export function signalNumber(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : namedSignal(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number > highestRealTime)
    throw invalidParameter(`unsupported signal: ${JSON.stringify(text)}`);
  return number;
}

function namedSignal(name: string): number | undefined {
  const realTime = /^RTM(IN|AX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime === null) return constants.signals[`SIG${name}` as NodeJS.Signals];
  const base = realTime[1] === "IN" ? lowestRealTime : highestRealTime;
  const number = base + Number(`${realTime[2] ?? "+"}${realTime[3] ?? 0}`);
  return number >= lowestRealTime && number <= highestRealTime ? number : undefined;
}
