/**
 * A minimal HTTP/1.1 client for the Engine API: content-length and chunked bodies, streams both ways
 * with back-pressure, hijacked connections with half-close, reuse of idle connections.
 * `fetch` cannot hijack, and node:http costs the command line ten milliseconds.
 */
import { systemError } from "../errors/platform-error.ts";
import { ByteQueue } from "./byte-queue.ts";
import { Http1ResponseParser, type ResponseHead } from "./http1-response.ts";
import { type SocketAddress, StreamSocket } from "./stream-socket.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** With its query, already escaped. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent in chunks. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface HttpResponse extends ResponseHead {
  /** To be read once; leaving it early drops the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The connection after a hijack. Bytes that came together with the head are its first bytes. */
export interface RawStream extends AsyncIterable<Uint8Array> {
  /** Settles when the kernel has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: the peer reads end of file and may go on sending. */
  closeWrite(): void;
  destroy(): void;
}

export type UpgradeResult =
  | { readonly upgraded: true; readonly head: ResponseHead; readonly stream: RawStream }
  | { readonly upgraded: false; readonly response: HttpResponse };

export class Http1Client implements Disposable {
  private readonly idle: Connection[] = [];
  /** Opened ahead, in the order in which requests will take them. */
  private readonly coming: Promise<Connection>[] = [];
  private readonly all = new Set<Connection>();
  private disposed = false;

  constructor(private readonly address: SocketAddress) {}

  /** Opens connections ahead of the requests that will need them, whose business a failure then is. */
  prepare(count: number): void {
    for (let each = 0; each < count; each++) {
      const opening = this.open();
      opening.catch(() => {});
      this.coming.push(opening);
    }
  }

  /** Settles with the answer's head; the body follows as it arrives. Errors: Unavailable, System. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const reused = this.takeIdle();
    if (reused === undefined) return (await this.takeFresh()).request(request);
    try {
      return await reused.request(request);
    } catch (error) {
      // An idle connection may be closed by the peer at any moment; asking again is harmless for these.
      const repeatable = request.method === "GET" || request.method === "HEAD";
      if (!repeatable) throw error;
      return (await this.takeFresh()).request(request);
    }
  }

  /** Asks to take the connection over. An answer other than 101 or 200 is handed back as it is. */
  async upgrade(request: HttpRequest): Promise<UpgradeResult> {
    const connection = this.takeIdle() ?? (await this.takeFresh());
    const response = await connection.request(request, true);
    if (response.status !== 101 && response.status !== 200) return { upgraded: false, response };
    return { upgraded: true, head: response, stream: connection.takeOver(response.body) };
  }

  /** Drops every connection. */
  [Symbol.dispose](): void {
    this.disposed = true;
    for (const connection of this.all) connection.destroy();
  }

  private takeIdle(): Connection | undefined {
    const connection = this.idle.pop();
    connection?.claim();
    return connection;
  }

  private async takeFresh(): Promise<Connection> {
    try {
      return await (this.coming.shift() ?? this.open());
    } catch (error) {
      this.coming.length = 0; // they found nobody either; a later try shall look anew
      throw error;
    }
  }

  private async open(): Promise<Connection> {
    const connection = await Connection.open(this.address, {
      idle: (self) => this.idle.push(self),
      gone: (self) => this.forget(self),
    });
    this.all.add(connection);
    if (this.disposed) connection.destroy();
    return connection;
  }

  private forget(connection: Connection): void {
    this.all.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  }
}

interface Exchange {
  readonly upgrade: boolean;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: unknown) => void;
  readonly body: ByteQueue;
}

interface ConnectionOwner {
  idle(connection: Connection): void;
  gone(connection: Connection): void;
}

class Connection {
  private exchange: Exchange | undefined;
  private keepAlive = true;
  /** The request's own body is still being sent. */
  private sending = false;

  private readonly parser = new Http1ResponseParser({
    head: (head) => this.onHead(head),
    body: (bytes) => this.exchange?.body.push(bytes),
    end: () => this.onEnd(),
  });

  private constructor(
    private readonly socket: StreamSocket,
    private readonly owner: ConnectionOwner,
  ) {}

  static async open(address: SocketAddress, owner: ConnectionOwner): Promise<Connection> {
    let self: Connection | undefined;
    const socket = await StreamSocket.connect(address, {
      data: (bytes) => self?.guard(() => self?.parser.push(bytes)),
      end: (error) => self?.onClosed(error),
    });
    self = new Connection(socket, owner);
    return self;
  }

  claim(): void {
    this.socket.ref();
  }

  request(request: HttpRequest, upgrade = false): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const body = new ByteQueue(this.socket, () => this.destroy());
      this.exchange = { upgrade, resolve, reject, body };
      this.parser.expect({ headRequest: request.method === "HEAD", upgrade });
      this.send(request, upgrade).catch((error: unknown) => this.onSendFailed(error));
    });
  }

  takeOver(body: AsyncIterable<Uint8Array>): RawStream {
    const socket = this.socket;
    return {
      [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](),
      write: async (bytes) => socket.write(bytes),
      closeWrite: () => socket.closeWrite(),
      destroy: () => this.destroy(),
    };
  }

  destroy(): void {
    this.owner.gone(this);
    this.socket.destroy();
  }

  private async send(request: HttpRequest, upgrade: boolean): Promise<void> {
    const { body } = request;
    const fixed = fixedBody(body);
    const head = Buffer.from(encodeHead(request, fixed?.length, upgrade));
    await this.socket.write(fixed === undefined ? head : Buffer.concat([head, fixed]));
    if (isStream(body)) await this.sendChunks(body);
  }

  private async sendChunks(body: AsyncIterable<Uint8Array>): Promise<void> {
    this.sending = true;
    for await (const chunk of body) {
      if (chunk.length === 0) continue;
      const size = Buffer.from(`${chunk.length.toString(16)}\r\n`);
      await this.socket.write(Buffer.concat([size, chunk, chunkEnd]));
    }
    await this.socket.write(lastChunk);
    this.sending = false;
  }

  private onHead(head: ResponseHead): void {
    this.keepAlive = head.headers.get("connection")?.toLowerCase() !== "close";
    const exchange = this.exchange;
    exchange?.resolve({ status: head.status, headers: head.headers, body: exchange.body });
  }

  private onEnd(): void {
    const exchange = this.exchange;
    this.exchange = undefined;
    exchange?.body.end();
    // An answer that came before the request was sent whole leaves the connection in no usable state.
    if (!this.keepAlive || this.sending || exchange?.upgrade === true) {
      this.destroy();
    } else {
      this.socket.unref();
      this.owner.idle(this);
    }
  }

  /** When the peer answered before it closed, that answer has settled the exchange already and wins. */
  private onSendFailed(error: unknown): void {
    this.guard(() => {
      throw error;
    });
  }

  private onClosed(error: Error | undefined): void {
    if (this.exchange !== undefined) {
      this.guard(() => {
        if (error !== undefined) throw systemError(`the connection to the engine broke: ${error.message}`);
        this.parser.finish();
      });
    }
    this.owner.gone(this);
    if (this.exchange?.upgrade !== true) this.socket.destroy();
  }

  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const exchange = this.exchange;
      this.exchange = undefined;
      exchange?.reject(error);
      exchange?.body.fail(error);
      this.destroy();
    }
  }
}

const chunkEnd = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

function isStream(body: HttpRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && Symbol.asyncIterator in body;
}

function fixedBody(body: HttpRequest["body"]): Uint8Array | undefined {
  return typeof body === "string" ? Buffer.from(body) : isStream(body) ? undefined : body;
}

function encodeHead(request: HttpRequest, bodyLength: number | undefined, upgrade: boolean): string {
  let head = `${request.method} ${request.path} HTTP/1.1\r\nHost: gantry\r\n`;
  if (upgrade) head += "Connection: Upgrade\r\nUpgrade: tcp\r\n";
  if (bodyLength !== undefined) head += `Content-Length: ${bodyLength}\r\n`;
  else if (request.body !== undefined) head += "Transfer-Encoding: chunked\r\n";
  else if (request.method === "POST" || request.method === "PUT") head += "Content-Length: 0\r\n";
  for (const [name, value] of Object.entries(request.headers ?? {})) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

/** The whole body; for answers known to be small. */
export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
