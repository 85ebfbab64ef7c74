import { closeSync } from "node:fs";
import { messageOf } from "../errors/platform-error.ts";
import { reapChild, waitForChild } from "../kernel/processes.ts";
import { sendDescriptors, socketPair } from "../kernel/unix-sockets.ts";
import type { Log } from "../log/log.ts";
import { Pool } from "../pool/pool.ts";

const FD_LAUNCH = 3;

/** As long as the title of a shim that has its container: it is overwritten in place. */
const title = "gantry-shim: waiting".padEnd("gantry-shim: ".length + 64);

/**
 * Shims that run before there is a container for them, so that a start need not wait for a process to begin. They are
 * daemons already; one whose engine is gone ends by itself.
 */
export class WaitingShims {
  readonly #pool: Pool<number>;

  /** `spawn` runs the helper and returns its pid. */
  constructor(size: number, spawn: SpawnHelper, log: Log) {
    this.#pool = new Pool({
      size,
      make: async () => makeWaiting(spawn),
      drop: async (socket) => closeSync(socket),
      failed: (error) => log.warn("shim.pool-refill-failed", { reason: messageOf(error) }),
    });
  }

  /** Begins to make some. */
  prepare(): void {
    this.#pool.scheduleRefill();
  }

  /** Hands a launch to one of them; false when there is none. The descriptors stay the caller's. */
  launch(launch: number, listener: number): boolean {
    const socket = this.#pool.takeReady();
    if (socket === undefined) return false;
    try {
      sendDescriptors(socket, Uint8Array.of(0), [launch, listener]);
      return true;
    } catch {
      return false; // somebody has killed it
    } finally {
      closeSync(socket);
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Runs the helper with this title and mode, and these descriptors. */
export type SpawnHelper = (argv: readonly string[], fds: readonly (readonly [number, number])[]) => number;

/** Out: the socket on which it waits for its launch. */
function makeWaiting(spawn: SpawnHelper): number {
  const [ours, its] = socketPair();
  try {
    void reap(spawn([title, "shim-wait"], [[its, FD_LAUNCH]]));
    return ours;
  } catch (error) {
    closeSync(ours);
    throw error;
  } finally {
    closeSync(its);
  }
}

/** The helper's first process ends as soon as the shim is a daemon: long ago, usually. */
export async function reap(pid: number): Promise<void> {
  try {
    if (reapChild(pid) === undefined) await waitForChild(pid);
  } catch {
    // Somebody else has reaped it.
  }
}
