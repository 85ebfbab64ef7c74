import { closeSync } from "node:fs";
import { type FdMapping, reapNow, spawnProcess } from "../../kernel/child-processes.ts";
import type { ChildStatus } from "../../kernel/processes.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { receiveDescriptors, sendDescriptors, socketPair } from "../../kernel/unix-sockets.ts";
import {
  type CriuNotification,
  type CriuOptions,
  type CriuRequestType,
  type CriuResponse,
  decodeCriuResponse,
  encodeCriuNotified,
  encodeCriuRequest,
} from "./criu-messages.ts";

/** Descriptor of the socket in criu. */
const FD_SOCKET = 3;
/** What else it gets, beside the standard streams, has numbers from here on. */
export const FIRST_CRIU_FD = 4;
const largestMessage = 1 << 16;

/** What to do at a notification; `fds` came with it, and are its to close. An error makes criu give up. */
export type NotificationHandler = (notification: CriuNotification, fds: readonly number[]) => void;

/**
 * One `criu swrk`: it serves one request, and ends. Synchronous, as a command has nothing to do meanwhile.
 *
 * Life: `spawn`, `request` once, `end`.
 */
export class CriuWorker {
  private constructor(
    readonly pid: number,
    private readonly socket: number,
  ) {}

  /** `fds`: all that criu gets beside its socket. */
  static spawn(program: string, env: readonly string[], fds: readonly FdMapping[]): CriuWorker {
    const [own, peer] = socketPair("seqpacket");
    try {
      const argv = ["criu", "swrk", String(FD_SOCKET)];
      return new CriuWorker(spawnProcess(program, argv, env, [...fds, [peer, FD_SOCKET]]), own);
    } catch (error) {
      closeSync(own);
      throw error;
    } finally {
      closeSync(peer);
    }
  }

  /** Out: the last response; undefined when criu ended without one. Errors: those of `onNotify`. */
  request(
    type: CriuRequestType,
    options: CriuOptions | undefined,
    onNotify: NotificationHandler,
  ): CriuResponse | undefined {
    this.send(encodeCriuRequest(type, options));
    for (;;) {
      const { response, fds } = this.receive();
      if (response?.notify === undefined) return response;
      try {
        onNotify(response.notify, fds);
      } catch (error) {
        this.send(encodeCriuNotified(false));
        while (this.receive().response !== undefined); // until it has undone what it did
        throw error;
      }
      this.send(encodeCriuNotified(true));
    }
  }

  /** Waits for its end. */
  end(): ChildStatus {
    closeSync(this.socket);
    return reapNow(this.pid);
  }

  private send(message: Uint8Array): void {
    unlessEnded(() => sendDescriptors(this.socket, message, []));
  }

  private receive(): { response: CriuResponse | undefined; fds: readonly number[] } {
    const buffer = Buffer.alloc(largestMessage);
    const received = unlessEnded(() => receiveDescriptors(this.socket, buffer, 1));
    if (received === undefined || received.bytes === 0) return { response: undefined, fds: [] };
    return { response: decodeCriuResponse(buffer.subarray(0, received.bytes)), fds: received.fds };
  }
}

/** That criu has ended shows when no response comes. */
function unlessEnded<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (isErrno(error, "EPIPE") || isErrno(error, "ECONNRESET")) return undefined;
    throw error;
  }
}
