import { parseDurationNs } from "../duration.ts";
import type { Healthcheck } from "../oci-image.ts";
import { dockerfileError } from "./dockerfile-error.ts";
import { parseCommandLine } from "./parse-command-line.ts";

const durations = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const satisfies Record<string, keyof Healthcheck>;

const shortestNs = 1e6;

/** Errors: InvalidParameter in the words of Docker's builder. */
export function parseHealthcheck(flags: readonly string[], rest: string): Healthcheck {
  const [, kind = "", command = ""] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  switch (kind.toUpperCase()) {
    case "":
      throw dockerfileError("HEALTHCHECK requires at least one argument");
    case "NONE":
      if (command !== "") throw dockerfileError("HEALTHCHECK NONE takes no arguments");
      return { Test: ["NONE"] };
    case "CMD":
      return { Test: testOf(command), ...Object.fromEntries(flags.map(parseFlag)) };
    default:
      throw dockerfileError(`Unknown type ${JSON.stringify(kind.toUpperCase())} in HEALTHCHECK (try CMD)`);
  }
}

function testOf(command: string): string[] {
  const line = parseCommandLine(command);
  if (line.form === "shell") return ["CMD-SHELL", line.text];
  if (line.words.length === 0) throw dockerfileError("Missing command after HEALTHCHECK CMD");
  return ["CMD", ...line.words];
}

function parseFlag(flag: string): [keyof Healthcheck, number] {
  const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/.exec(flag) ?? [];
  if (name !== "retries" && !Object.hasOwn(durations, name)) throw dockerfileError(`unknown flag: ${name}`);
  if (value === undefined) throw dockerfileError(`missing a value on flag: ${name}`);
  if (name === "retries") return ["Retries", parseRetries(value)];
  const field = Object.entries(durations).find(([key]) => key === name)?.[1] ?? "Interval";
  return [field, parseInterval(name, value)];
}

function parseRetries(value: string): number {
  if (!/^-?\d+$/.test(value))
    throw dockerfileError(`invalid --retries ${JSON.stringify(value)}: not a number`);
  if (Number(value) < 0) throw dockerfileError(`--retries cannot be negative (${value})`);
  return Number(value);
}

function parseInterval(name: string, value: string): number {
  const ns = parseDurationNs(value);
  if (ns === undefined) throw dockerfileError(`time: invalid duration ${JSON.stringify(value)}`);
  if (ns < 0) throw dockerfileError(`Interval ${JSON.stringify(name)} cannot be negative`);
  if (ns > 0 && ns < shortestNs)
    throw dockerfileError(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return ns;
}
