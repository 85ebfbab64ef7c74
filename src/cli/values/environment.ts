import { systemError } from "../../errors/platform-error.ts";
import { type ClientFiles, OwnProcessNeeded } from "../client-files.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** `-e` check: `K=V`, or `K` to be copied from the client. Errors: Error for an empty name. */
export function checkEnvironmentVariable(raw: string): string {
  if (raw === "" || raw.startsWith("=")) throw new Error(`invalid environment variable: ${raw}`);
  return raw;
}

/**
 * Fills in the client's values; of several entries with one name the last counts. A bare name the client does not have
 * stays bare: it unsets the image's.
 */
export function resolveEnvironment(entries: readonly string[], client: Environment): string[] {
  const resolved = new Map<string, string>();
  for (const entry of entries) {
    const name = entry.split("=", 1)[0] ?? "";
    const copied = name === entry ? client[name] : undefined;
    resolved.set(name, copied === undefined ? entry : `${entry}=${copied}`);
  }
  return [...resolved.values()];
}

/**
 * An `--env-file` or `--label-file`: `K=V` or `K` a line, `#` comments, no quoting.
 * Errors: System when it cannot be read; Error naming the line for names with white space.
 */
export function readKeyValueFile(files: ClientFiles, path: string): string[] {
  const lines = readLines(files, path);
  return lines.flatMap((line, index) => {
    const trimmed = line.trimStart();
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    const name = trimmed.split("=", 1)[0] ?? "";
    if (name === "") throw new Error(`invalid env file (${path}): line ${index + 1}: no variable name`);
    if (/\s/.test(name)) {
      throw new Error(
        `invalid env file (${path}): line ${index + 1}: variable '${name}' contains whitespaces`,
      );
    }
    return [trimmed];
  });
}

function readLines(files: ClientFiles, path: string): string[] {
  try {
    return files
      .readText(path)
      .replace(/^\ufeff/, "")
      .split(/\r?\n/);
  } catch (cause) {
    if (cause instanceof OwnProcessNeeded) throw cause;
    throw systemError(`open ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** The kernel's words for a failed file operation. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "is a directory";
  return error instanceof Error ? error.message : String(error);
}
