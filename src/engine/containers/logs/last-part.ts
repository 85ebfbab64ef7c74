import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type LogFile, logFiles } from "./log-files.ts";

const newline = 0x0a;
const blockBytes = 64 * 1024;

/** The files that hold the wanted part of a log, oldest first; the first one from `offset` on. */
export interface LogPart {
  readonly files: readonly LogFile[];
  readonly offset: number;
}

/** The last `lines` lines of a log, found by reading backwards from its end; all of it when undefined. */
export function lastPart(path: string, lines: number | undefined): LogPart {
  for (;;) {
    const files = logFiles(path);
    const part = lines === undefined ? { files, offset: 0 } : lastPartOf(files, lines);
    if (part !== "rotated") return part;
  }
}

function lastPartOf(files: readonly LogFile[], lines: number): LogPart | "rotated" {
  let wanted = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const found = lastLinesOf(files[index], wanted);
    if (found === "rotated") return found;
    if (found.lines >= wanted) return { files: files.slice(index), offset: found.offset };
    wanted -= found.lines;
  }
  return { files, offset: 0 };
}

/** The offset at which the last `wanted` lines of one file begin, or 0 and how many there are. */
function lastLinesOf(
  file: LogFile | undefined,
  wanted: number,
): { lines: number; offset: number } | "rotated" {
  const fd = file === undefined ? undefined : openOrUndefined(file.path);
  if (fd === undefined) return "rotated";
  try {
    const { size, ino } = fstatSync(fd);
    if (ino !== file?.inode) return "rotated";
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
