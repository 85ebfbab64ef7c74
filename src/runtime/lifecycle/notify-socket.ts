import { chmodSync, closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bindDatagram, receiveDatagram, sendDatagram } from "../../kernel/datagram-sockets.ts";
import { POLLIN, poll } from "../../kernel/poll.ts";
import { notifyDirectoryOf, notifySocketName } from "./caller-settings.ts";
import type { ContainerState } from "./container-state.ts";

/** Between the container, which says READY=1, and the service manager of whoever called `create`. */
export interface Readiness extends Disposable {
  /** Waits until the container says that it is ready, or has ended; passes it on with the pid. */
  forward(pid: number, pidfd: number): void;
}

/**
 * Opens the container's notification socket, before its program can look for it. Undefined when nobody asked for one.
 * Errors: System naming the socket. See sd_notify(3).
 */
export function listenForReadiness(
  directory: string,
  { notifySocket }: ContainerState,
): Readiness | undefined {
  if (notifySocket === undefined || notifySocket === "") return undefined;
  const path = join(notifyDirectoryOf(directory), notifySocketName);
  rmSync(path, { force: true });
  const socket = bindDatagram(path);
  chmodSync(path, 0o777); // any user of the container may say that it is ready
  return {
    forward: (pid, pidfd) => {
      if (waitUntilReady(socket, pidfd)) sendDatagram(notifySocket, `MAINPID=${pid}\nREADY=1`);
    },
    [Symbol.dispose]: () => closeSync(socket),
  };
}

function waitUntilReady(socket: number, pidfd: number): boolean {
  for (;;) {
    const [message = 0] = poll([
      { fd: socket, events: POLLIN },
      { fd: pidfd, events: POLLIN },
    ]);
    if (message === 0) return false;
    if (receiveDatagram(socket).split("\n").includes("READY=1")) return true;
  }
}
