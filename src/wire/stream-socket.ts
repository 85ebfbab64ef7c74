/**
 * A connected stream socket with back-pressure and half-close, over Bun.connect (node:net costs the
 * command line several milliseconds of start-up).
 */
import { systemError, unavailable } from "../errors/platform-error.ts";

export type SocketAddress = { readonly unix: string } | { readonly hostname: string; readonly port: number };

export interface SocketEvents {
  data(bytes: Uint8Array): void;
  /** The peer sends no more, or the connection is gone. Called once. */
  end(error: Error | undefined): void;
}

interface PendingWrite {
  bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class StreamSocket {
  private readonly pending: PendingWrite[] = [];
  private ended = false;
  private closed = false;
  private closingWrite = false;

  private constructor(
    private readonly raw: Bun.Socket<undefined>,
    private readonly events: SocketEvents,
  ) {}

  /** Errors: Unavailable when nobody listens there; its `code` is the errno's name (`ENOENT`, …). */
  static async connect(address: SocketAddress, events: SocketEvents): Promise<StreamSocket> {
    let self: StreamSocket | undefined;
    const early: Uint8Array[] = [];
    const handler: Bun.SocketHandler<undefined> = {
      data(_, bytes) {
        // Bun reuses no buffer between calls, so the bytes may be kept.
        if (self === undefined) early.push(bytes);
        else events.data(bytes);
      },
      drain: () => self?.flush(),
      end: () => self?.finish(undefined),
      close: (_, error) => self?.onClose(error),
      error: (_, error) => self?.onClose(error),
    };
    const options = { socket: handler, data: undefined, allowHalfOpen: true };
    let raw: Bun.Socket<undefined>;
    try {
      raw = await ("unix" in address
        ? Bun.connect({ ...options, unix: address.unix })
        : Bun.connect({ ...options, hostname: address.hostname, port: address.port }));
    } catch (cause) {
      throw connectError(address, cause);
    }
    self = new StreamSocket(raw, events);
    for (const bytes of early) events.data(bytes);
    return self;
  }

  /** Settles when the kernel has taken the bytes. Errors: System when the connection is gone. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.closed || this.closingWrite) return Promise.reject(gone());
    if (bytes.length === 0) return undefined;
    const written = this.pending.length > 0 ? 0 : Math.max(0, this.raw.write(bytes));
    if (written === bytes.length) return undefined;
    return new Promise((resolve, reject) => {
      this.pending.push({ bytes: bytes.subarray(written), resolve, reject });
    });
  }

  /** Half-close: the peer reads end of file, its own bytes keep coming. */
  closeWrite(): void {
    if (this.closingWrite || this.closed) return;
    this.closingWrite = true;
    if (this.pending.length === 0) this.raw.shutdown();
  }

  pause(): void {
    if (!this.closed) this.raw.pause();
  }

  resume(): void {
    if (!this.closed) this.raw.resume();
  }

  /** An unreferenced socket does not keep the process alive. */
  unref(): void {
    if (!this.closed) this.raw.unref();
  }

  ref(): void {
    if (!this.closed) this.raw.ref();
  }

  /** Drops the connection at once; a second call does nothing. */
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.raw.terminate();
    this.finish(undefined);
    this.failWrites();
  }

  private flush(): void {
    for (let head = this.pending[0]; head !== undefined; head = this.pending[0]) {
      const written = Math.max(0, this.raw.write(head.bytes));
      if (written < head.bytes.length) {
        head.bytes = head.bytes.subarray(written);
        return;
      }
      this.pending.shift();
      head.resolve();
    }
    if (this.closingWrite && !this.closed) this.raw.shutdown();
  }

  private onClose(error: Error | undefined): void {
    this.closed = true;
    this.finish(error);
    this.failWrites();
  }

  private finish(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.events.end(error);
  }

  private failWrites(): void {
    for (const write of this.pending.splice(0)) write.reject(gone());
  }
}

const gone = () => systemError("the connection to the engine is closed", { code: "socket.closed" });

function connectError(address: SocketAddress, cause: unknown) {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
  const where = "unix" in address ? `unix://${address.unix}` : `tcp://${address.hostname}:${address.port}`;
  const why =
    code === "ENOENT"
      ? "no such socket"
      : code === "ECONNREFUSED"
        ? "nobody listens on it"
        : code === "EACCES" || code === "EPERM"
          ? "permission denied"
          : (code ?? "the connection failed");
  return unavailable(`cannot connect to the gantry engine at ${where}: ${why}`, { code, cause });
}
