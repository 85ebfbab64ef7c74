import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExitStatus } from "./contract.ts";
import type { Failure } from "./protocol.ts";

/** What a shim leaves in `exit` of its directory (docs/helper-protocol.md). */
export interface ExitRecord {
  readonly status: ExitStatus;
  readonly pid: number;
  /** The process could not be started. */
  readonly failure: Failure | undefined;
}

/** Undefined when there is none, or none that is whole. */
export function readExitFile(directory: string): ExitRecord | undefined {
  try {
    return parseExitFile(readFileSync(join(directory, "exit"), "utf8"));
  } catch {
    return undefined;
  }
}

/** Pure; undefined for text that is no exit record. */
export function parseExitFile(text: string): ExitRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const { exitCode, signal, exitedAtNs, pid, failedStep, errno, detail } = fields;
  if (typeof exitCode !== "number" || typeof signal !== "number" || typeof pid !== "number") return undefined;
  if (typeof exitedAtNs !== "string" || !/^\d+$/.test(exitedAtNs)) return undefined;
  const failed = typeof failedStep === "number" && typeof errno === "number" && typeof detail === "string";
  return {
    status: { exitCode, signal, exitedAtNs: BigInt(exitedAtNs) },
    pid,
    failure: failed ? { stepIndex: failedStep, errno, detail } : undefined,
  };
}
