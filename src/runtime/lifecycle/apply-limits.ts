import { PlatformError } from "../../errors/platform-error.ts";
import { readCgroupFile, writeCgroupFile } from "../../kernel/cgroup-files.ts";

export interface LimitWrite {
  readonly file: string;
  readonly value: string;
  /** The user's words for it. */
  readonly reason: string;
  /** The file may be missing. */
  readonly optional: boolean;
}

/**
 * Writes limits of cgroups that have them already. Some depend on each other (memory and memory+swap, quota and period), and
 * whether the one or the other has to go first depends on the direction: what is refused is tried again behind the others.
 *
 * Out:    what puts all of them back.
 * Errors: System naming the limit, the file, the value and errno; those written before are put back.
 */
export function applyLimits(writes: readonly LimitWrite[]): () => void {
  const before = new Map(writes.map(({ file }) => [file, singleValue(file)]));
  let left = writes;
  for (;;) {
    const refused = left.flatMap((write) => tryWrite(write));
    if (refused.length === 0) return () => putBack(before);
    if (refused.length === left.length) {
      putBack(before);
      const [first] = refused;
      throw first?.error ?? new Error("no limit was refused");
    }
    left = refused.map(({ write }) => write);
  }
}

interface Refusal {
  readonly write: LimitWrite;
  readonly error: PlatformError;
}

function tryWrite(write: LimitWrite): Refusal[] {
  try {
    writeCgroupFile(write.file, write.value);
    return [];
  } catch (error) {
    const code = error instanceof PlatformError ? error.code : undefined;
    if (write.optional && code === "errno.ENOENT") return [];
    const message = `the kernel refuses ${write.reason}: ${error instanceof Error ? error.message : error}`;
    return [{ write, error: new PlatformError("System", message, { cause: error, code }) }];
  }
}

/** Files with a line for each device cannot be put back as a whole. */
function singleValue(file: string): string | undefined {
  const text = readCgroupFile(file);
  return text === undefined || text.includes("\n") || text === "" ? undefined : text;
}

function putBack(before: ReadonlyMap<string, string | undefined>): void {
  const writes = [...before].flatMap(([file, value]) =>
    value === undefined ? [] : [{ file, value, reason: "its value before", optional: true }],
  );
  // Twice, for the order that they depend on; what cannot be put back was not changed.
  for (let round = 0; round < 2; round++) for (const write of writes) tryWrite(write);
}
