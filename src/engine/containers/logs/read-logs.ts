import { dirname } from "node:path";
import { nowNs } from "../../clock.ts";
import { ChangeWatch } from "./change-watch.ts";
import { lastPart } from "./last-part.ts";
import { LineReader } from "./line-reader.ts";
import { entryTimeNs, type LogEntry, parseLogEntry } from "./log-entry.ts";
import { inodeOf, type LogFile, logFiles } from "./log-files.ts";

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  /** The last so many lines of both streams; undefined: all. */
  readonly tail: number | undefined;
}

export interface FollowOptions {
  /** Whether the process has ended; asked before each look at the file, so that its last line is seen. */
  readonly hasEnded: () => boolean;
  /** Registers a function to call when it ends; returns how to take that back. */
  readonly onEnd: (ended: () => void) => () => void;
}

/**
 * Reads a json-file log in order over its rotated files, in batches.
 *
 * `follow`: goes on, over rotations, until the container's process has ended and its last line was read.
 * Ends silently when `signal` aborts. A missing log reads as empty.
 */
export async function* readLogs(
  path: string,
  query: LogQuery,
  follow: FollowOptions | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  if (!follow) {
    yield* selected(wholeLog(path, query.tail, signal), query);
    return;
  }
  // The watch begins before the first look: a line that comes between them is not slept over.
  using watcher = new ChangeWatch(dirname(path));
  const wake = (): void => watcher.wake();
  signal.addEventListener("abort", wake);
  const forgetEnd = follow.onEnd(wake);
  const { untilNs } = query;
  const timer = untilNs === undefined ? undefined : setTimeout(wake, timeoutMs(untilNs));
  const isOver = (): boolean => follow.hasEnded() || (untilNs !== undefined && nowNs() > untilNs);
  try {
    yield* selected(growingLog(path, query.tail, { isOver, watcher, signal }), query);
  } finally {
    clearTimeout(timer);
    forgetEnd();
    signal.removeEventListener("abort", wake);
  }
}

/** Until a point in time, as far as a timer reaches. */
const timeoutMs = (untilNs: bigint): number =>
  Math.min(Math.max(0, Number((untilNs - nowNs()) / 1_000_000n) + 1), 2 ** 31 - 1);

async function* wholeLog(
  path: string,
  tail: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const { files, offset } = lastPart(path, tail);
  for (const [index, { inode }] of files.entries()) {
    if (signal.aborted) return;
    await using reader = await LineReader.open(path, inode, {
      offset: index === 0 ? offset : 0,
      growing: false, // a container that writes faster than this is read would never come to an end
    });
    if (reader) yield* linesToEnd(reader, signal);
  }
}

interface Growth {
  /** Nothing further will be written; asked before each look at the file, so that the last line is seen. */
  readonly isOver: () => boolean;
  readonly watcher: ChangeWatch;
  readonly signal: AbortSignal;
}

async function* growingLog(path: string, tail: number | undefined, growth: Growth): AsyncGenerator<string[]> {
  const part = lastPart(path, tail);
  let pending = part.files;
  let { offset } = part;
  let lastInode: number | undefined;
  while (!growth.signal.aborted) {
    const isOver = growth.isOver();
    const file = pending[0];
    if (file !== undefined) {
      await using reader = await LineReader.open(path, file.inode, { offset, growing: true });
      if (reader) yield* growingLines(reader, path, growth);
      lastInode = file.inode;
      offset = 0;
    } else if (isOver) return;
    else await growth.watcher.changed();
    pending = filesAfter(path, lastInode);
  }
}

async function* linesToEnd(reader: LineReader, signal: AbortSignal): AsyncGenerator<string[]> {
  for (let lines = await reader.next(); lines !== undefined && !signal.aborted; lines = await reader.next())
    yield lines;
}

/** Follows one file until it was rotated away or all is over, and is read to its end. */
async function* growingLines(reader: LineReader, path: string, growth: Growth): AsyncGenerator<string[]> {
  while (!growth.signal.aborted) {
    const isLast = growth.isOver() || inodeOf(path) !== reader.inode;
    yield* linesToEnd(reader, growth.signal);
    if (isLast) return;
    await growth.watcher.changed();
  }
}

/** The log files newer than the one with this inode, oldest first; all of them when it is gone. */
function filesAfter(path: string, inode: number | undefined): LogFile[] {
  const files = logFiles(path);
  return files.slice(files.findIndex((file) => file.inode === inode) + 1);
}

/** Filters by stream and time; ends after the first entry past `until`. */
async function* selected(batches: AsyncIterable<string[]>, query: LogQuery): AsyncGenerator<LogEntry[]> {
  const { sinceNs, untilNs } = query;
  for await (const lines of batches) {
    const entries: LogEntry[] = [];
    let isPastUntil = false;
    for (const line of lines) {
      const entry = parseLogEntry(line);
      if (entry === undefined || (sinceNs !== undefined && entryTimeNs(entry) < sinceNs)) continue;
      isPastUntil = untilNs !== undefined && entryTimeNs(entry) > untilNs;
      if (isPastUntil) break;
      if (query[entry.stream]) entries.push(entry);
    }
    if (entries.length > 0) yield entries;
    if (isPastUntil) return;
  }
}
