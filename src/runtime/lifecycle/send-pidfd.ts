import { closeSync } from "node:fs";
import { openPidfd } from "../../kernel/processes.ts";
import { connectUnix, sendDescriptors } from "../../kernel/unix-sockets.ts";

/** `--pidfd-socket`: sends a pidfd of the process over the socket at `path`. Errors: System naming the socket. */
export function sendPidfd(path: string, pid: number): void {
  const socket = connectUnix(path);
  try {
    const pidfd = openPidfd(pid);
    try {
      sendDescriptors(socket, Buffer.from("pidfd"), [pidfd]);
    } finally {
      closeSync(pidfd);
    }
  } finally {
    closeSync(socket);
  }
}
