import { notFound, PlatformError, systemError, unavailable } from "../errors/platform-error.ts";
import { errnoName, errnoNumber, errnoText } from "../kernel/errno.ts";
import { adoptAsBunSocket } from "./adopt-descriptor.ts";
import { connectShim } from "./connect-shim.ts";
import { MessageReader, type ShimMessage } from "./messages.ts";
import type { Failure } from "./protocol.ts";

/** The answer to a request was FAILED; `failureError` makes the error that users see of it. */
export class StepFailure extends Error {
  constructor(readonly failure: Failure) {
    super(`step ${failure.stepIndex} failed: ${failure.detail}`);
  }
}

export interface ConnectionEvents {
  event(message: Exclude<ShimMessage, { type: "ok" | "error" }>): void;
  /** Called once, after the last event. */
  closed(): void;
}

interface PendingRequest {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** The connection of messages to one shim: requests with their answers, and events. */
export class ShimConnection {
  readonly #pending = new Map<number, PendingRequest>();
  readonly #reader = new MessageReader();
  #socket: Bun.Socket<undefined> | undefined;
  /** What the socket did not take yet. */
  #unsent: Uint8Array[] = [];
  #nextTag = 1;
  #closed = false;

  private constructor(private readonly events: ConnectionEvents) {}

  /**
   * Connects, and sends `first` at once. Errors of kind System with `errno.ENOENT` or `errno.ECONNREFUSED` when
   * nobody listens.
   */
  static async open(
    socketPath: string,
    first: (tag: number) => Uint8Array,
    events: ConnectionEvents,
  ): Promise<{ connection: ShimConnection; answered: Promise<Buffer> }> {
    const self = new ShimConnection(events);
    const { tag, answered } = self.#expectAnswer();
    const fd = connectShim(socketPath, () => first(tag));
    self.#socket = await adoptAsBunSocket(fd, handlers(self));
    return { connection: self, answered };
  }

  /** Resolves with the payload of OK. Rejects with a StepFailure, or with a PlatformError. */
  request(write: (tag: number) => Uint8Array): Promise<Buffer> {
    if (this.#closed) return Promise.reject(gone());
    const { tag, answered } = this.#expectAnswer();
    this.#send(write(tag));
    return answered;
  }

  close(): void {
    this.#socket?.end();
    this.onClose();
  }

  onData(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const message of this.#reader.push(bytes)) this.#take(message);
    } catch {
      this.close(); // not our protocol: whoever waits is told that the shim is gone
    }
  }

  onDrain(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const bytes of unsent) this.#send(bytes);
  }

  onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of this.#pending.values()) request.reject(gone());
    this.#pending.clear();
    this.events.closed();
  }

  #expectAnswer(): { tag: number; answered: Promise<Buffer> } {
    const tag = this.#nextTag;
    this.#nextTag = (tag % 0xffff) + 1;
    const answered = new Promise<Buffer>((resolve, reject) => this.#pending.set(tag, { resolve, reject }));
    answered.catch(() => undefined); // a caller that does not wait shall not end the engine
    return { tag, answered };
  }

  #send(bytes: Uint8Array): void {
    if (this.#unsent.length > 0) {
      this.#unsent.push(bytes);
      return;
    }
    const written = this.#socket?.write(bytes) ?? 0;
    if (written >= 0 && written < bytes.length) this.#unsent.push(bytes.subarray(written));
  }

  #take(message: ShimMessage): void {
    if (message.type === "ok") this.#answer(message.tag)?.resolve(message.payload);
    else if (message.type === "error") this.#answer(message.tag)?.reject(requestError(message));
    else if (message.type === "failed" && message.tag !== 0)
      this.#answer(message.tag)?.reject(new StepFailure(message.failure));
    else this.events.event(message);
  }

  #answer(tag: number): PendingRequest | undefined {
    const request = this.#pending.get(tag);
    this.#pending.delete(tag);
    return request;
  }
}

function handlers(self: ShimConnection): Bun.SocketHandler<undefined> {
  return {
    data: (_, bytes) => self.onData(bytes),
    drain: () => self.onDrain(),
    end: () => self.onClose(),
    close: () => self.onClose(),
    error: () => self.onClose(),
  };
}

const gone = () => unavailable("the container's shim is gone", { code: "shim.gone" });

function requestError(message: { errno: number; text: string }): PlatformError {
  const code = `errno.${errnoName(message.errno)}`;
  if (message.errno === errnoNumber("ESRCH")) return notFound(message.text, { code });
  if (message.errno === errnoNumber("ENOTTY"))
    return new PlatformError("InvalidParameter", message.text, { code });
  return systemError(`${message.text}: ${errnoText(message.errno)}`, { code });
}
