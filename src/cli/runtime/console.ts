import { closeSync, readSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { setNonBlocking } from "../../kernel/nonblocking.ts";
import { POLLIN, POLLOUT, pollAsync } from "../../kernel/poll.ts";
import { isTerminal, setRawMode, setWindowSize, windowSize } from "../../kernel/terminal.ts";
import { receiveDescriptors, socketPair } from "../../kernel/unix-sockets.ts";
import { watchSignals } from "../../kernel/watch-signals.ts";

const resized = new Map([["SIGWINCH", constants.signals.SIGWINCH] as const]);
const stdin = 0;
const stdout = 1;
/** Bytes. A program that never stops writing must not keep what is typed from reaching it. */
const outputAtOnce = 64 << 10;
/** More than a terminal holds: what a process that is left writes meanwhile is not waited for. */
const outputAtEnd = 1 << 20;

/**
 * The caller's terminal as that of a process in the foreground: bytes both ways, raw mode, window size.
 *
 * Life: `open`, give `peer` to the launcher, `connect` once the process exists, `serve` until it ended, `close`.
 */
export class Console {
  private master = -1;
  private restore: (() => void) | undefined;
  private pending: Buffer = Buffer.alloc(0);
  private inputOpen = true;
  /** Made when there is a terminal after all. */
  private buffer: Buffer = Buffer.alloc(0);

  private constructor(
    private readonly own: number,
    readonly peer: number,
  ) {}

  static open(): Console {
    const [own, peer] = socketPair();
    return new Console(own, peer);
  }

  /** Takes the master which the process has sent. */
  connect(): void {
    const { fds } = receiveDescriptors(this.own, Buffer.alloc(64), 1);
    this.master = fds[0] ?? -1;
    this.buffer = Buffer.alloc(65536);
    setNonBlocking(this.master);
    this.resize();
    if (isTerminal(stdin)) this.restore = setRawMode(stdin);
  }

  /** Until the process behind `pidfd` has ended, and all that it wrote is out. */
  async serve(pidfd: number): Promise<void> {
    const unwatch = watchSignals(resized, () => this.resize());
    try {
      while (this.master >= 0) {
        const [ended = 0, output = 0, input = 0] = await pollAsync([
          { fd: pidfd, events: POLLIN },
          { fd: this.master, events: this.pending.length > 0 ? POLLIN | POLLOUT : POLLIN },
          { fd: this.inputOpen && this.pending.length === 0 ? stdin : -1, events: POLLIN },
        ]);
        if (input !== 0) this.takeInput();
        if (this.pending.length > 0) this.giveInput();
        if (output !== 0) this.passOutput(ended === 0 ? outputAtOnce : outputAtEnd);
        // With a slave open in a process that is left, there would be no end.
        if (ended !== 0) return;
      }
    } finally {
      unwatch();
    }
  }

  close(): void {
    this.restore?.();
    this.restore = undefined;
    this.closeMaster();
    closeSync(this.own);
    closeSync(this.peer);
  }

  private resize(): void {
    const size = windowSize(stdout) ?? windowSize(stdin);
    if (size !== undefined && this.master >= 0) setWindowSize(this.master, size);
  }

  private takeInput(): void {
    const length = readSome(stdin, this.buffer);
    if (length === "later") return;
    if (length === 0) this.inputOpen = false;
    else this.pending = Buffer.from(this.buffer.subarray(0, length));
  }

  private giveInput(): void {
    try {
      this.pending = this.pending.subarray(writeSync(this.master, this.pending));
    } catch (error) {
      if (!isAgain(error)) this.pending = Buffer.alloc(0); // nobody reads it any more
    }
  }

  /** Until there is no more for now, or `limit` bytes are out. */
  private passOutput(limit: number): void {
    for (let left = limit; left > 0 && this.master >= 0; ) {
      const length = readSome(this.master, this.buffer);
      if (length === "later") return;
      if (length === 0) this.closeMaster();
      writeFully(stdout, this.buffer.subarray(0, length));
      left -= length;
    }
  }

  private closeMaster(): void {
    if (this.master >= 0) closeSync(this.master);
    this.master = -1;
  }
}

/** 0 at the end: for a master that is EIO, once every slave is closed. */
function readSome(fd: number, buffer: Buffer): number | "later" {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    return isAgain(error) ? "later" : 0;
  }
}

function writeFully(fd: number, bytes: Buffer): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      // Somebody who shares the terminal made it non-blocking.
      if (!isAgain(error)) throw error;
      Bun.sleepSync(1);
    }
  }
}

const isAgain = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EAGAIN";
