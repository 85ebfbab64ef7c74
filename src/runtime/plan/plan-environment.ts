import { invalidParameter } from "../../errors/platform-error.ts";

/**
 * The environment that a program gets: a variable that is named again has its last value, in its first place. With two of one name
 * getenv(3) would answer with the first, so that `exec --env PATH=…` changed nothing.
 *
 * Errors: InvalidParameter for what is not NAME=VALUE.
 * Spec:   OCI Runtime Specification, "Process", `env`; environ(7).
 */
export function planEnvironment(entries: readonly string[]): string[] {
  const variables = new Map<string, string>();
  for (const entry of entries) {
    const end = entry.indexOf("=");
    if (end < 0) throw invalid(entry, "it has no =");
    if (end === 0) throw invalid(entry, "it has no name");
    variables.set(entry.slice(0, end), entry);
  }
  return [...variables.values()];
}

const invalid = (entry: string, why: string) =>
  invalidParameter(`invalid environment variable: ${JSON.stringify(entry)}`, {
    hint: `${why}; a variable is NAME=VALUE`,
  });
