/** The world of a command that runs within the engine: its front's streams, terminal and signals, over frames. */
import { constants } from "node:os";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import {
  type EngineFrameType,
  encodeEngineFrame,
  FrontFrameDecoder,
  type FrontFrameType,
  type Hello,
  maxOutputBytes,
  parseHello,
} from "../wire/front-frames.ts";
import { type ClientFiles, OwnProcessNeeded } from "./client-files.ts";
import { servedCommands } from "./commands.ts";
import { type Output, rootOutOfReach, type Signals, type Terminal, type TerminalSize } from "./context.ts";
import type { EngineTransport } from "./engine-client.ts";
import type { World } from "./process-context.ts";

/** The engine's end of the front's connection. */
export interface FrontStream {
  readonly input: Readable;
  readonly output: Writable;
}

/** One front. `hello` comes first; `closed` settles when the front is gone. */
export class Front {
  readonly hello: Promise<Hello>;
  readonly closed: Promise<void>;
  private readonly greeted = Promise.withResolvers<Hello>();
  private readonly left = Promise.withResolvers<void>();
  private readonly handlers = new Map<number, Set<() => void>>();
  private awaitedInput: ((chunk: Uint8Array | undefined) => void) | undefined;
  private hasLeft = false;
  /** Until the front has read what it was sent. */
  private room: PromiseWithResolvers<void> | undefined;
  size: TerminalSize | undefined;

  constructor(private readonly stream: FrontStream) {
    this.hello = this.greeted.promise;
    this.closed = this.left.promise;
    const decoder = new FrontFrameDecoder((type, payload) => this.take(type, payload));
    stream.input.on("data", (chunk: Uint8Array) => {
      try {
        decoder.push(chunk);
      } catch (error) {
        this.greeted.reject(error);
        this.leave();
      }
    });
    stream.input.on("error", () => this.leave());
    stream.input.once("end", () => this.leave());
    stream.output.on("drain", () => this.makeRoom());
    stream.output.on("error", () => this.leave());
    stream.output.once("close", () => this.leave());
    this.closed.then(() => this.greeted.reject(new Error("the front left before it said what it wants")));
    this.greeted.promise.catch(() => {}); // awaited by whoever serves it
  }

  /** Settles when there is room for more; undefined where there is. */
  send(type: EngineFrameType, payload?: Uint8Array): Promise<void> | undefined {
    const { output } = this.stream;
    if (output.destroyed || output.writableEnded) return undefined;
    // Frames of one moment leave in one write.
    output.cork();
    process.nextTick(() => output.uncork());
    if (output.write(encodeEngineFrame(type, payload))) return undefined;
    this.room ??= Promise.withResolvers();
    return this.room.promise;
  }

  print(type: "output" | "error", bytes: Uint8Array): Promise<void> | undefined {
    let room: Promise<void> | undefined;
    for (let at = 0; at < bytes.length; at += maxOutputBytes) {
      room = this.send(type, bytes.subarray(at, at + maxOutputBytes));
    }
    return room;
  }

  /** The next piece of standard input; undefined at its end. One at a time. */
  read(): Promise<Uint8Array | undefined> {
    const chunk = new Promise<Uint8Array | undefined>((arrived) => {
      this.awaitedInput = arrived;
    });
    if (this.hasLeft) this.giveInput(undefined);
    else this.send("read");
    return chunk;
  }

  onSignal(number: number, handler: () => void): () => void {
    const known = this.handlers.get(number);
    if (known === undefined) this.send("take", Uint8Array.of(number));
    this.handlers.set(number, (known ?? new Set()).add(handler));
    return () => {
      const handlers = this.handlers.get(number);
      if (handlers?.delete(handler) !== true || handlers.size > 0) return;
      this.handlers.delete(number);
      this.send("release", Uint8Array.of(number));
    };
  }

  /** The last frame. */
  end(type: "exit" | "decline", payload?: Uint8Array): void {
    if (!this.stream.output.destroyed) this.stream.output.end(encodeEngineFrame(type, payload));
  }

  private take(type: FrontFrameType, payload: Uint8Array): void {
    if (type === "hello") {
      const hello = parseHello(payload);
      this.size = hello.size;
      this.greeted.resolve(hello);
    } else if (type === "input") {
      this.giveInput(payload.length === 0 ? undefined : payload);
    } else if (type === "size") {
      const view = Buffer.from(payload);
      this.size = { rows: view.readUInt16LE(0), columns: view.readUInt16LE(2) };
    } else {
      for (const handler of this.handlers.get(payload[0] ?? 0) ?? []) handler();
    }
  }

  private giveInput(chunk: Uint8Array | undefined): void {
    this.awaitedInput?.(chunk);
    this.awaitedInput = undefined;
  }

  private makeRoom(): void {
    this.room?.resolve();
    this.room = undefined;
  }

  private leave(): void {
    this.hasLeft = true;
    this.giveInput(undefined);
    this.makeRoom();
    this.left.resolve();
    if (!this.stream.output.writableEnded) this.stream.output.destroy();
  }
}

/** `engine` reaches the engine that this command runs in. */
export function servedWorld(front: Front, hello: Hello, engine: EngineTransport): World {
  const outputTo = (type: "output" | "error"): Output => ({
    write: (data) => front.print(type, typeof data === "string" ? Buffer.from(data) : data),
  });
  return {
    stdout: outputTo("output"),
    stderr: outputTo("error"),
    stdin: () => inputOf(front),
    env: hello.env,
    files: filesOf(hello),
    engineAt: () => engine,
    checkRoot: rootOutOfReach,
    admit(command) {
      if (!servedCommands.has(command)) throw new OwnProcessNeeded();
    },
    terminal: terminalOf(front, hello),
    signals: signalsOf(front),
    close() {},
    nowMs: Date.now,
  };
}

async function* inputOf(front: Front): AsyncGenerator<Uint8Array> {
  for (let chunk = await front.read(); chunk !== undefined; chunk = await front.read()) yield chunk;
}

/** The engine's rights are not its client's, so that it opens nothing for it. */
const filesOf = ({ cwd, hasLogin }: Hello): ClientFiles => ({
  require() {
    throw new OwnProcessNeeded();
  },
  resolve(path) {
    if (cwd === "") throw new OwnProcessNeeded();
    return resolve(cwd, path);
  },
  readText() {
    throw new OwnProcessNeeded();
  },
  /** As good as none, where it keeps no login. */
  readLogin() {
    if (hasLogin) throw new OwnProcessNeeded();
    return undefined;
  },
});

const terminalOf = (front: Front, { terminals }: Hello): Terminal => ({
  isTerminal: (stream) => terminals[stream],
  size: () => front.size,
  raw() {
    front.send("raw");
    return () => void front.send("cooked");
  },
  /** Whoever asks for passwords keeps them in its user's files. */
  hideTyping() {
    throw new OwnProcessNeeded();
  },
});

const signalsOf = (front: Front): Signals => ({
  on: (signal, handler) => front.onSignal(constants.signals[signal], handler),
});
