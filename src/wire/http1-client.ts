/**
 * A minimal HTTP/1.1 client for one server, the Engine API of most: content-length and chunked bodies, streams both ways
 * with back-pressure, hijacked connections with half-close, reuse of idle connections.
 * `fetch` cannot hijack, and node:http costs the command line ten milliseconds.
 */
import {
  Http1Connection,
  type HttpRequest,
  type HttpResponse,
  type OpenSocket,
  type RawStream,
} from "./http1-connection.ts";
import type { ResponseHead } from "./http1-response.ts";
import { type SocketAddress, StreamSocket } from "./stream-socket.ts";

export type { HttpRequest, HttpResponse, RawStream } from "./http1-connection.ts";

export type UpgradeResult =
  | { readonly upgraded: true; readonly head: ResponseHead; readonly stream: RawStream }
  | { readonly upgraded: false; readonly response: HttpResponse };

export class Http1Client implements Disposable {
  private readonly idle: Http1Connection[] = [];
  /** Opened ahead, in the order in which requests will take them. */
  private readonly coming: Promise<Http1Connection>[] = [];
  private readonly all = new Set<Http1Connection>();
  private disposed = false;

  private readonly openSocket: OpenSocket;

  /** `host` is what the requests say of their server. */
  constructor(
    server: SocketAddress | OpenSocket,
    private readonly host = "gantry",
  ) {
    this.openSocket =
      typeof server === "function" ? server : (events) => StreamSocket.connect(server, events);
  }

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
    if (reused === undefined) return (await this.takeFresh(request.signal)).request(request);
    try {
      return await reused.request(request);
    } catch (error) {
      // An idle connection may be closed by the peer at any moment; asking again is harmless for these.
      const repeatable = request.method === "GET" || request.method === "HEAD";
      if (!repeatable || request.signal?.aborted) throw error;
      return (await this.takeFresh(request.signal)).request(request);
    }
  }

  /** Asks to take the connection over. An answer other than 101 or 200 is handed back as it is. */
  async upgrade(request: HttpRequest): Promise<UpgradeResult> {
    const connection = this.takeIdle() ?? (await this.takeFresh());
    const response = await connection.request(request, true);
    if (response.status !== 101 && response.status !== 200) return { upgraded: false, response };
    return { upgraded: true, head: response, stream: connection.takeOver(response.body) };
  }

  /** Drops the connections that wait for a request. False when there are no others. */
  closeIdle(): boolean {
    for (const connection of [...this.idle]) connection.destroy();
    return this.all.size > 0 || this.coming.length > 0;
  }

  /** Drops every connection. */
  [Symbol.dispose](): void {
    this.disposed = true;
    for (const connection of this.all) connection.destroy();
  }

  private takeIdle(): Http1Connection | undefined {
    const connection = this.idle.pop();
    connection?.claim();
    return connection;
  }

  private async takeFresh(signal?: AbortSignal): Promise<Http1Connection> {
    try {
      return await (this.coming.shift() ?? this.open(signal));
    } catch (error) {
      this.coming.length = 0; // they found nobody either; a later try shall look anew
      throw error;
    }
  }

  private async open(signal?: AbortSignal): Promise<Http1Connection> {
    const owner = {
      idle: (self: Http1Connection) => this.idle.push(self),
      gone: (self: Http1Connection) => this.forget(self),
    };
    const connection = await Http1Connection.open(this.openSocket, owner, this.host, signal);
    this.all.add(connection);
    if (this.disposed) connection.destroy();
    return connection;
  }

  private forget(connection: Http1Connection): void {
    this.all.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  }
}

/** The whole body; for answers known to be small. */
export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
