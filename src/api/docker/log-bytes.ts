import { formatTimeFixedNs } from "../../engine/clock.ts";
import { entryTimeNs, type LogEntry } from "../../engine/containers/logs/log-entry.ts";
import { encodeFrame } from "../../wire/stdcopy.ts";

/** Lines of a log as they go to a client: a frame for each, or the bare text of a terminal. */
export function logBytes(
  entries: readonly LogEntry[],
  { tty, timestamps }: { tty: boolean; timestamps: boolean },
): Uint8Array {
  const encoder = new TextEncoder();
  return Buffer.concat(
    entries.map((entry) => {
      const prefix = timestamps ? `${formatTimeFixedNs(entryTimeNs(entry))} ` : "";
      const line = encoder.encode(prefix + entry.text);
      return tty ? line : encodeFrame(entry.stream === "stdout" ? 1 : 2, line);
    }),
  );
}
