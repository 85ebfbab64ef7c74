import { parseTimeNs } from "../../clock.ts";

/** One line of a json-file log. */
export interface LogEntry {
  readonly stream: "stdout" | "stderr";
  /** With its newline, unless the line was longer than 16 KiB and this is not its last part. */
  readonly text: string;
  /** RFC 3339 with up to nine fraction digits, as the file has it. */
  readonly time: string;
}

/** Undefined for a line that is not a whole entry (the machine lost power in the middle of it). */
export function parseLogEntry(line: string): LogEntry | undefined {
  try {
    const { log, stream, time } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== "string" || typeof time !== "string") return undefined;
    if (stream !== "stdout" && stream !== "stderr") return undefined;
    return { stream, text: log, time };
  } catch {
    return undefined;
  }
}

/** Nanoseconds since 1970; 0 for an unreadable time, so that it sorts before everything. */
export const entryTimeNs = (entry: LogEntry): bigint => parseTimeNs(entry.time) ?? 0n;
