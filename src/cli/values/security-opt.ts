import { type ClientFiles, OwnProcessNeeded } from "../client-files.ts";
import { reasonOf } from "./environment.ts";

export interface SecurityOptions {
  readonly securityOpt: string[];
  /** `systempaths=unconfined` empties both lists instead of being sent on. */
  readonly unconfinedPaths: boolean;
}

/**
 * `--security-opt` values. A seccomp profile is a file of the client: it is read here and sent along.
 * Errors: Error with Docker's wording.
 */
export function resolveSecurityOptions(files: ClientFiles, raw: readonly string[]): SecurityOptions {
  const sent: string[] = [];
  let unconfinedPaths = false;
  for (const option of raw) {
    if (option === "systempaths=unconfined") unconfinedPaths = true;
    else sent.push(resolveOne(files, option));
  }
  return { securityOpt: sent, unconfinedPaths };
}

function resolveOne(files: ClientFiles, option: string): string {
  const at = option.search(/[=:]/);
  const key = at < 0 ? option : option.slice(0, at);
  const value = at < 0 ? "" : option.slice(at + 1);
  if (value === "" && key !== "no-new-privileges") throw new Error(`Invalid --security-opt: "${option}"`);
  if (key !== "seccomp" || value === "unconfined" || value === "builtin") return option;
  return `seccomp=${readProfile(files, value)}`;
}

function readProfile(files: ClientFiles, path: string): string {
  let text: string;
  try {
    text = files.readText(path);
  } catch (error) {
    if (error instanceof OwnProcessNeeded) throw error;
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: ${reasonOf(error)}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw new Error(`compacting json for seccomp profile (${path}) failed: not JSON`);
  }
}
