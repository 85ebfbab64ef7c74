import type { IncomingMessage } from "node:http";
import { SilenceLimit } from "./silence-limit.ts";

/** A client that sends more than this after it was refused does not listen. */
const maxDiscardedBytes = 16 << 20;

/** Reads what is left of a refused request, so that the next one on the connection can come; but not without end. */
export function discardBody(incoming: IncomingMessage): void {
  const limit = new SilenceLimit(incoming.socket);
  let bytes = 0;
  incoming.on("data", (chunk: Uint8Array) => {
    limit.restart();
    bytes += chunk.length;
    if (bytes > maxDiscardedBytes) incoming.socket.destroy();
  });
  for (const event of ["end", "close", "error"]) incoming.once(event, () => limit.pause());
  incoming.resume();
}
