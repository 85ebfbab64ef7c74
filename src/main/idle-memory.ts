import type { Server } from "node:http";
import { releaseCodePages } from "../kernel/own-memory.ts";

const quietMs = 2000;

/**
 * Gives memory back whenever the engine had something to do and then nothing for two seconds. Out: call it when
 * something was done that is no request.
 */
export function trimWhenIdle(servers: readonly Server[]): () => void {
  let lastActivity = 0;
  let _timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const quietSince = performance.now() - lastActivity;
    if (quietSince < quietMs) {
      _timer = setTimeout(look, quietMs - quietSince + 1).unref();
      return;
    }
    _timer = undefined;
    Bun.gc(true);
    releaseCodePages();
  };
  const touch = (): void => {
    lastActivity = performance.now();
    _timer ??= setTimeout(look, quietMs).unref();
  };
  for (const server of servers) {
    server.on("request", touch);
    server.on("upgrade", touch);
  }
  return touch;
}
