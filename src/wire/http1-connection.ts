/** One HTTP/1.1 connection: one exchange at a time, or taken over as a raw stream. */
import { systemError } from "../errors/platform-error.ts";
import { ByteQueue, type Flow } from "./byte-queue.ts";
import { Http1ResponseParser, type ParsedHead, type ResponseHead } from "./http1-response.ts";
import type { SocketEvents } from "./stream-socket.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query, already escaped. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent in chunks, unless the headers say how long it is. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Its abort drops the connection, as long as the answer is not there as a whole. */
  readonly signal?: AbortSignal;
}

export interface HttpResponse extends ResponseHead {
  readonly statusText?: string;
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

/** What an exchange takes place on. */
export interface ConnectionSocket extends Flow {
  /** Settles when the kernel has taken the bytes. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  closeWrite(): void;
  ref(): void;
  unref(): void;
  destroy(): void;
}

export type OpenSocket = (events: SocketEvents, signal?: AbortSignal) => Promise<ConnectionSocket>;

interface Exchange {
  readonly upgrade: boolean;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: unknown) => void;
  readonly body: ByteQueue;
  /** Called once, when the answer is there as a whole or never will be. */
  readonly settle: () => void;
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
    private readonly socket: ConnectionSocket,
    private readonly owner: ConnectionOwner,
    private readonly host: string,
  ) {}

  /** `host` is what the requests say of their server. Errors: those of `open`. */
  static async open(
    open: OpenSocket,
    owner: ConnectionOwner,
    host: string,
    signal?: AbortSignal,
  ): Promise<Http1Connection> {
    let self: Http1Connection | undefined;
    const events = {
      data: (bytes: Uint8Array) => self?.guard(() => self?.parser.push(bytes)),
      end: (error: Error | undefined) => self?.onClosed(error),
    };
    self = new Http1Connection(await open(events, signal), owner, host);
    return self;
  }

  claim(): void {
    this.socket.ref();
  }

  request(request: HttpRequest, upgrade = false): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const body = new ByteQueue(this.socket, () => this.destroy());
      const onAbort = () => this.guard(() => request.signal?.throwIfAborted());
      const settle = () => request.signal?.removeEventListener("abort", onAbort);
      this.exchange = { upgrade, resolve, reject, body, settle };
      request.signal?.addEventListener("abort", onAbort);
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
    const head = Buffer.from(encodeHead(request, this.host, fixed?.length, upgrade));
    await this.socket.write(fixed === undefined ? head : Buffer.concat([head, fixed]));
    if (isStream(body)) await this.sendStream(body, hasLength(request));
  }

  private async sendStream(body: AsyncIterable<Uint8Array>, isCounted: boolean): Promise<void> {
    this.sending = true;
    for await (const chunk of body) {
      if (chunk.length === 0) continue;
      await this.socket.write(isCounted ? chunk : framed(chunk));
    }
    if (!isCounted) await this.socket.write(lastChunk);
    this.sending = false;
  }

  private onHead(head: ParsedHead): void {
    this.keepAlive = head.headers.get("connection")?.toLowerCase() !== "close";
    const exchange = this.exchange;
    exchange?.resolve({ ...head, body: exchange.body });
  }

  private onEnd(): void {
    const exchange = this.exchange;
    this.exchange = undefined;
    exchange?.settle();
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
        if (error !== undefined) throw broken(error);
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
      exchange?.settle();
      exchange?.reject(error);
      exchange?.body.fail(error);
      this.destroy();
    }
  }
}

function framed(chunk: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, chunkEnd]);
}

const hasLength = ({ headers = {} }: HttpRequest) =>
  Object.keys(headers).some((name) => name.toLowerCase() === "content-length");

const chunkEnd = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

function isStream(body: HttpRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && Symbol.asyncIterator in body;
}

function fixedBody(body: HttpRequest["body"]): Uint8Array | undefined {
  return typeof body === "string" ? Buffer.from(body) : isStream(body) ? undefined : body;
}

const broken = (cause: Error) =>
  systemError(`the connection broke: ${cause.message}`, { code: "http.cut", cause });

function encodeHead(
  request: HttpRequest,
  host: string,
  bodyLength: number | undefined,
  upgrade: boolean,
): string {
  let head = `${request.method} ${request.path} HTTP/1.1\r\nHost: ${host}\r\n`;
  if (upgrade) head += "Connection: Upgrade\r\nUpgrade: tcp\r\n";
  if (!hasLength(request)) head += framing(request, bodyLength);
  for (const [name, value] of Object.entries(request.headers ?? {})) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

function framing({ method, body }: HttpRequest, bodyLength: number | undefined): string {
  if (bodyLength !== undefined) return `Content-Length: ${bodyLength}\r\n`;
  if (body !== undefined) return "Transfer-Encoding: chunked\r\n";
  return method === "POST" || method === "PUT" || method === "PATCH" ? "Content-Length: 0\r\n" : "";
}
