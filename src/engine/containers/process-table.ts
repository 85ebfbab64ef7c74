import { invalidParameter } from "../../errors/platform-error.ts";

/** What `top` shows: the columns that ps(1) was asked for, and the processes of one container. */
export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/**
 * Picks a container's processes out of what ps(1) says of the host's. A line without a pid (`-`, a thread) belongs to
 * the process above it.
 *
 * Errors: InvalidParameter without a column PID.
 */
export function selectProcesses(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = "", ...lines] = output.trimEnd().split("\n");
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn < 0) throw invalidParameter("Couldn't find PID field in ps output");
  let isOurs = false;
  const processes = lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const pid = words[pidColumn] ?? "";
    if (pid !== "-") isOurs = pids.has(Number(pid));
    if (!isOurs) return [];
    // The last column is a command line, blanks and all.
    return [[...words.slice(0, titles.length - 1), words.slice(titles.length - 1).join(" ")]];
  });
  return { titles, processes };
}

/** The words of `ps_args`. Errors: InvalidParameter for a title that would let another column pass for the pid. */
export function parsePsArguments(text: string): string[] {
  const title = /(?:^|[\s,])\S*?=\s*PID\S*/.exec(text)?.[0].trim();
  if (title !== undefined) throw invalidParameter(`specifying "${title}" is not allowed`);
  return text.split(/\s+/).filter(Boolean);
}
