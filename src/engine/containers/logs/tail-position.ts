import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const newline = 0x0a;
const blockBytes = 64 * 1024;

/** Where the last lines of a log begin: everything from `offset` of `files[fileIndex]` on. */
export interface TailPosition {
  readonly fileIndex: number;
  readonly offset: number;
}

/**
 * Finds the start of the last `lines` lines by reading backwards from the end of the newest file.
 *
 * In: `files`, oldest first; one that disappeared meanwhile counts as empty.
 */
export function tailPosition(files: readonly string[], lines: number): TailPosition {
  let wanted = lines;
  for (let fileIndex = files.length - 1; fileIndex >= 0; fileIndex--) {
    const found = lastLinesOf(files[fileIndex] ?? "", wanted);
    if (found.lines >= wanted) return { fileIndex, offset: found.offset };
    wanted -= found.lines;
  }
  return { fileIndex: 0, offset: 0 };
}

/** The offset at which the last `wanted` lines of one file begin, or 0 and how many there are. */
function lastLinesOf(path: string, wanted: number): { lines: number; offset: number } {
  const fd = openOrUndefined(path);
  if (fd === undefined) return { lines: 0, offset: 0 };
  try {
    const size = fstatSync(fd).size;
    if (wanted === 0) return { lines: 0, offset: size };
    const block = Buffer.alloc(Math.min(blockBytes, size));
    let lines = 0;
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - blockBytes);
      const length = readSync(fd, block, 0, end - start, start);
      for (let at = length - 1; at >= 0; at--) {
        const isLineEnd = block[at] === newline && start + at !== size - 1;
        if (isLineEnd && ++lines === wanted) return { lines, offset: start + at + 1 };
      }
      end = start;
    }
    return { lines: size > 0 ? lines + 1 : 0, offset: 0 };
  } finally {
    closeSync(fd);
  }
}

function openOrUndefined(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
