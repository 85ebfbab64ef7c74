import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { reasonOf } from "./values/environment.ts";

/**
 * Writes a tar from the engine to `path`, or to standard output. A file gets its name when it is whole.
 * Errors: CommandError for a terminal, and for a file that cannot be written; what `open` throws.
 */
export async function writeArchive(
  context: CommandContext,
  path: string | undefined,
  open: () => Promise<{ readonly body: AsyncIterable<Uint8Array> }>,
): Promise<void> {
  if (path !== undefined) return writeFile(path, open);
  if (context.terminal.isTerminal("stdout")) {
    throw new CommandError("refusing to write an archive to a terminal", {
      hint: "name a file with -o, or redirect the output",
    });
  }
  for await (const chunk of (await open()).body) await context.stdout.write(chunk);
}

async function writeFile(
  path: string,
  open: () => Promise<{ readonly body: AsyncIterable<Uint8Array> }>,
): Promise<void> {
  // A device or a pipe is written as it is; a rename would replace it.
  const isSpecial = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  const draft = isSpecial ? path : `${path}.${process.pid}.part`;
  const fd = attempt(path, () => openSync(draft, isSpecial ? "w" : "wx", 0o600));
  try {
    for await (const chunk of (await open()).body) attempt(path, () => writeWhole(fd, chunk));
    if (!isSpecial) attempt(path, () => renameSync(draft, path));
  } catch (error) {
    if (!isSpecial) rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function writeWhole(fd: number, chunk: Uint8Array): void {
  for (let rest = chunk; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CommandError(`write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
