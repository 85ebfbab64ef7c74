import { closeSync, fstatSync, openSync } from "node:fs";
import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { reasonOf } from "./values/environment.ts";

/**
 * The bytes of the file `path`, or of standard input. Errors: CommandError for a file that cannot be read, and for a
 * terminal; `what` is the command: `load`.
 */
export function readArchive(
  context: CommandContext,
  path: string | undefined,
  what: string,
): AsyncIterable<Uint8Array> {
  if (path !== undefined) {
    checkReadable(path);
    return Bun.file(path).stream();
  }
  if (context.terminal.isTerminal("stdin")) {
    throw new CommandError(`requested ${what} from stdin, but stdin is empty`, {
      hint: "name an archive, or send one through a pipe",
    });
  }
  return context.stdin();
}

/** A stream tells of a missing file only when it is read, in the middle of the request. */
function checkReadable(path: string): void {
  let isDirectory: boolean;
  try {
    const file = openSync(path, "r");
    isDirectory = fstatSync(file).isDirectory();
    closeSync(file);
  } catch (error) {
    throw new CommandError(`open ${path}: ${reasonOf(error)}`, { cause: error });
  }
  if (isDirectory) {
    throw new CommandError(`read ${path}: is a directory`, {
      hint: "name an archive, or pack the directory: `tar -c -C DIRECTORY . |`",
    });
  }
}
