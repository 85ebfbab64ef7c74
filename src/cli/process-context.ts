/** The real world: this process's streams, terminal and signals. */
import { existsSync, fstatSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { Http1Client } from "../wire/http1-client.ts";
import type { SocketAddress } from "../wire/stream-socket.ts";
import type { ClientFiles } from "./client-files.ts";
import {
  type CheckRoot,
  type CommandContext,
  type Output,
  rootOutOfReach,
  type Signals,
  type Terminal,
} from "./context.ts";
import type { EngineTransport } from "./engine-client.ts";

const fdOf = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** The parts of a context that do not depend on the command. */
export type World = Pick<
  CommandContext,
  "stdout" | "stderr" | "stdin" | "env" | "files" | "terminal" | "signals" | "nowMs" | "checkRoot"
> & {
  /** Connects to an engine at the first request. */
  engineAt(address: SocketAddress): EngineTransport;
  /** Throws OwnProcessNeeded for a command, by its name in commands.ts, that cannot be run in this world. */
  admit(command: string): void;
  /** Lets go of standard input, so that a read which waits does not keep the process alive. */
  close(): void;
};

/** `checkRoot`: only main can open an engine's directory. */
export function processContext(checkRoot: CheckRoot = rootOutOfReach): World {
  const input = new ProcessInput();
  return {
    stdout: outputTo(1),
    stderr: outputTo(2),
    stdin: () => input,
    close: () => input.cancel(),
    env: process.env,
    files: processFiles,
    engineAt: (address) => new Http1Client(address),
    admit() {},
    terminal: processTerminal(),
    signals: processSignals,
    nowMs: Date.now,
    checkRoot,
  };
}

/** A Go program is ended by SIGPIPE when it writes to a closed standard output; shells show 141. */
const brokenPipeExitCode = 141;

/**
 * Plain write(2): touching `process.stdout` costs milliseconds. Blocking is right here: whoever is slow to read
 * our output slows the engine's stream down, nothing is buffered in between.
 */
function outputTo(fd: 1 | 2): Output {
  return {
    write(data) {
      let rest = typeof data === "string" ? Buffer.from(data) : data;
      while (rest.length > 0) rest = rest.subarray(writeSome(fd, rest));
      return undefined;
    },
  };
}

function writeSome(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EPIPE") process.exit(brokenPipeExitCode);
    if (code === "EAGAIN") {
      // Somebody who shares the descriptor made it non-blocking.
      Bun.sleepSync(1);
      return 0;
    }
    if (code === "EINTR") return 0;
    throw error;
  }
}

const processFiles: ClientFiles = {
  require() {},
  resolve: (path) => resolve(path),
  readText: (path) => readFileSync(path, "utf8"),
  readLogin: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
};

const openInput = () => Bun.stdin.stream().getReader();

/** Standard input, opened at the first read. */
class ProcessInput implements AsyncIterable<Uint8Array> {
  private reader: ReturnType<typeof openInput> | undefined;

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.reader = openInput();
    for (;;) {
      const { done, value } = await this.reader.read();
      if (done) return;
      yield value;
    }
  }

  cancel(): void {
    this.reader?.cancel().catch(() => {}); // it had ended already
  }
}

function processTerminal(): Terminal {
  return {
    isTerminal: (stream) => isCharacterDevice(fdOf[stream]) && kernelTerminal().isTerminal(fdOf[stream]),
    size: () => (isCharacterDevice(1) ? kernelTerminal().windowSize(1) : undefined),
    raw: () => untilExit(kernelTerminal().setRawMode(0)),
    hideTyping: () => untilExit(kernelTerminal().hideTyping(0)),
  };
}

function untilExit(restoreAttributes: () => void): () => void {
  const restore = () => {
    process.off("exit", restore);
    restoreAttributes();
  };
  process.on("exit", restore);
  return restore;
}

/** Rules out files and pipes without loading the native addon. */
function isCharacterDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false; // closed
  }
}

/** Loaded at first use: most commands never ask for a terminal. */
function kernelTerminal(): typeof import("../kernel/terminal.ts") {
  return require("../kernel/terminal.ts");
}

const processSignals: Signals = {
  on(signal, handler) {
    process.on(signal, handler);
    return () => {
      process.off(signal, handler);
    };
  },
};
