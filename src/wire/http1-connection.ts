/** One HTTP/1.1 connection: one exchange at a time, or taken over as a raw stream. */
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
  /** What the body says as JSON, of an answer that took no wire; not to be changed. */
  readonly value?: unknown;
}

/** The connection after a hijack. Bytes that came together with the head are its first bytes. */
export interface RawStream extends AsyncIterable<Uint8Array> {
  /** Settles when the kernel has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: the peer reads end of file and may go on sending. */
  closeWrite(): void;
  destroy(): void;
}

interface Exchange {
  readonly upgrade: boolean;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: unknown) => void;
  readonly body: ByteQueue;
}

export interface ConnectionOwner {
  idle(connection: Http1Connection): void;
  gone(connection: Http1Connection): void;
}

export class Http1Connection {
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

  static async open(address: SocketAddress, owner: ConnectionOwner): Promise<Http1Connection> {
    let self: Http1Connection | undefined;
    const socket = await StreamSocket.connect(address, {
      data: (bytes) => self?.guard(() => self?.parser.push(bytes)),
      end: (error) => self?.onClosed(error),
    });
    self = new Http1Connection(socket, owner);
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
