import { closeSync, readSync, writeSync } from "node:fs";
import { PlatformError, systemError, unavailable } from "../../errors/platform-error.ts";
import { POLLIN, poll } from "../poll.ts";
import { connectUnix } from "../unix-sockets.ts";
import { type DBusMessage, decodeMessage, encodeMessage, messageLength } from "./message.ts";
import type { DBusValue } from "./values.ts";

/** `bus`: a message bus, which routes; `peer`: the other program itself. */
export type DBusKind = "bus" | "peer";

export interface DBusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly DBusValue[];
}

export const busName = "org.freedesktop.DBus";
const busPath = "/org/freedesktop/DBus";

const answerTimeoutMs = 30_000;
const chunkBytes = 16 << 10;

/**
 * A connection to a bus or a peer, for a command that has nothing to do while it waits: every call holds the thread.
 *
 * Errors: Unavailable when nobody answers within 30 s, or the connection ends.
 * Spec:   D-Bus Specification, "Authentication Protocol", "Message Protocol", "Message Bus Specification".
 */
export class DBusConnection implements Disposable {
  #serial = 0;
  #received: Buffer = Buffer.alloc(0);
  readonly #signals: DBusMessage[] = [];
  readonly #chunk = Buffer.alloc(chunkBytes);

  private constructor(
    private readonly fd: number,
    private readonly path: string,
  ) {}

  /** Errors: System with the errno when nobody listens at `path`; Unavailable when we are not let in. */
  static open(path: string, kind: DBusKind): DBusConnection {
    const connection = new DBusConnection(connectUnix(path), path);
    try {
      connection.authenticate();
      if (kind === "bus") connection.callBus("Hello");
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }

  /** Calls a method, and waits for its answer. Errors: System with the code `dbus.NAME` when the answer is an error. */
  call(call: DBusCall): readonly DBusValue[] {
    const { signature = "", body = [], ...address } = call;
    const serial = ++this.#serial;
    this.send(encodeMessage({ type: "call", serial, ...address, signature, body }));
    const answer = this.next(
      ({ type, replySerial }) => replySerial === serial && (type === "reply" || type === "error"),
      `${call.interface}.${call.member}`,
    );
    if (answer.type === "error") throw callError(answer);
    return answer.body;
  }

  /** Has the bus send us the signals of a rule. Spec: "Match Rules". */
  addMatch(rule: string): void {
    this.callBus("AddMatch", "s", [rule]);
  }

  /** The next signal that `matches`, be it one that came while something else was waited for. */
  waitForSignal(matches: (signal: DBusMessage) => boolean, what: string): DBusMessage {
    const index = this.#signals.findIndex(matches);
    if (index >= 0) return this.#signals.splice(index, 1)[0] as DBusMessage;
    return this.next((message) => message.type === "signal" && matches(message), what);
  }

  private callBus(member: string, signature = "", body: readonly DBusValue[] = []): readonly DBusValue[] {
    return this.call({ destination: busName, path: busPath, interface: busName, member, signature, body });
  }

  /**
   * EXTERNAL without an identity of our own: the server takes the one that the kernel tells it, which in a user namespace is
   * another one than we know.
   *
   * All lines go at once: a systemd that reads BEGIN together with a first call behind it would not look at the call before it is
   * sent something else.
   */
  private authenticate(): void {
    this.send(Buffer.from("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"));
    this.expectLine("DATA");
    this.expectLine("OK");
  }

  private expectLine(word: string): void {
    const until = performance.now() + answerTimeoutMs;
    let end = this.#received.indexOf("\r\n");
    for (; end < 0; end = this.#received.indexOf("\r\n")) this.receive(until, "the authentication");
    const line = this.#received.toString("latin1", 0, end);
    this.#received = this.#received.subarray(end + 2);
    if (line.split(" ")[0] !== word)
      throw unavailable(`${this.path} does not let user ${process.geteuid?.()} in: ${line}`, {
        code: "dbus.rejected",
      });
  }

  /** Signals that are not waited for are kept: the one that belongs to an answer may come before it. */
  private next(wanted: (message: DBusMessage) => boolean, what: string): DBusMessage {
    const until = performance.now() + answerTimeoutMs;
    for (;;) {
      const message = this.takeMessage();
      if (message === undefined) this.receive(until, what);
      else if (wanted(message)) return message;
      else if (message.type === "signal") this.#signals.push(message);
    }
  }

  private takeMessage(): DBusMessage | undefined {
    const length = messageLength(this.#received);
    if (length === undefined || length > this.#received.length) return undefined;
    const message = decodeMessage(this.#received.subarray(0, length));
    this.#received = this.#received.subarray(length);
    return message;
  }

  private receive(until: number, what: string): void {
    const [ready = 0] = poll([{ fd: this.fd, events: POLLIN }], Math.max(0, until - performance.now()));
    if (ready === 0) throw unavailable(`${this.path} does not answer: ${what}`, { code: "dbus.timeout" });
    const length = readSync(this.fd, this.#chunk);
    if (length === 0)
      throw unavailable(`${this.path} closed the connection: ${what}`, { code: "dbus.closed" });
    this.#received = Buffer.concat([this.#received, this.#chunk.subarray(0, length)]);
  }

  private send(bytes: Uint8Array): void {
    for (let sent = 0; sent < bytes.length; ) sent += writeSync(this.fd, bytes, sent);
  }
}

/** The first value of an error's body is its message, where it has one ("Error Messages"). */
function callError({ errorName = "", body: [text] }: DBusMessage): PlatformError {
  const message = typeof text === "string" && text !== "" ? text : errorName;
  return systemError(message, { code: `dbus.${errorName}` });
}

/** Whether an error is the answer of that name. */
export const isDBusError = (error: unknown, name: string): boolean =>
  error instanceof PlatformError && error.code === `dbus.${name}`;
