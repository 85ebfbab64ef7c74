import { unavailable } from "../../errors/platform-error.ts";
import type { AddressPolicy, BodyReceiver, ConnectionTls, PlainRequest } from "../../wire/body-receiver.ts";
import { Connections } from "../receive/connections.ts";
import { type Answer, connectedAnswer, fetchedAnswer, receivedAnswer } from "./answer.ts";
import { proxyError } from "./connection-error.ts";
import type { HostCertificates } from "./host-certificates.ts";
import { hostName, isLoopback } from "./host-name.ts";
import { type ProxySettings, proxyFor } from "./proxy-settings.ts";
import type { Trust } from "./registry-endpoint.ts";
import { shownRequest } from "./shown-request.ts";
import { Watch } from "./watch.ts";

export interface TransportOptions {
  /** How long a server may take until its headers arrive, in milliseconds. */
  readonly responseTimeoutMs: number;
  /** How long a body may pause. */
  readonly idleTimeoutMs: number;
  readonly userAgent: string;
  readonly certificates: HostCertificates;
  readonly proxies: ProxySettings;
}

export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A body that is read while it is sent; again from the start where the request has to be sent again. */
export interface StreamedBody {
  readonly sizeBytes: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: HttpMethod;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Not sent on to another host that it redirects to. */
  readonly hostHeaders?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | StreamedBody;
  readonly trust: Trust;
  /** For a URL that somebody else chose: whether and where it may lead, redirects too. Errors: those that it throws. */
  readonly addressesFor?: ((url: URL) => AddressPolicy | undefined) | undefined;
  /** For a GET whose body is a blob: sends the request in the place of this thread. */
  readonly receiver?: BodyReceiver | undefined;
  /** Undefined: the transport's. */
  readonly responseTimeoutMs?: number | undefined;
  /** How long each connection may take to come about; undefined: as long as it takes. */
  readonly connectTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** An answer whose body is read at most once, by `chunks`, `into`, `bytes` or `discard`. */
export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** As it was asked for, before redirects. */
  readonly request: HttpRequest;
  /** Chunks as they arrive; leaving the loop early closes the connection. Errors as `connectionError`. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /**
   * Appends the body without its first `skip` bytes to the blob whose receiver the request had, else writes it there.
   * Errors as `chunks`, and those of the blob.
   */
  into(blob: { write(chunk: Uint8Array): Promise<void> }, skip: number): Promise<void>;
  /** Errors: Unavailable for a body of more than `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  /** Gives the connection back when the body is not wanted. */
  discard(): Promise<void>;
}

const maxRedirects = 10;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** HTTP as registries need it: redirects without leaking credentials, proxies, timeouts, errors in Docker's words. */
export class Transport {
  private readonly connections = new Connections();

  constructor(private readonly options: TransportOptions) {}

  async send(request: HttpRequest): Promise<HttpResponse> {
    let { url } = request;
    let headers: Readonly<Record<string, string>> = { ...request.headers, ...request.hostHeaders };
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await this.sendOnce({ ...request, url, headers }, request);
      const location = response.headers.get("location");
      if (!redirectStatuses.has(response.status) || location === null) return response;
      await response.discard();
      const next = redirectTarget(location, url, request);
      if (next.host !== new URL(url).host) headers = withoutAuthorization(request.headers ?? {});
      url = next.href;
    }
    throw unavailable(`${shownRequest(request)}: more than ${maxRedirects} redirects`, {
      code: "registry.redirects",
    });
  }

  private async sendOnce(request: HttpRequest, original: HttpRequest): Promise<HttpResponse> {
    const { method, url, headers, body, trust, receiver, signal } = request;
    signal.throwIfAborted();
    const addresses = request.addressesFor?.(new URL(url));
    const { protocol, host } = new URL(url);
    const tls = protocol === "https:" ? await this.options.certificates.for(host, trust) : {};
    const proxy = proxyFor(new URL(url), this.options.proxies);
    const watch = new Watch(signal, proxy);
    const timeoutMs = request.responseTimeoutMs ?? this.options.responseTimeoutMs;
    watch.expectWithin(timeoutMs);
    // Each piece that is taken shows that the server is at work.
    const sent = sentBody(body, () => {
      watch.rest();
      watch.expectWithin(timeoutMs);
    });
    try {
      const plain = {
        method,
        url,
        headers: {
          "user-agent": this.options.userAgent,
          "accept-encoding": "identity",
          ...(isStreamed(body) ? { "content-length": String(body.sizeBytes) } : {}),
          ...headers,
        },
        tls: { ...tls, rejectUnauthorized: trust.verifyTls },
        proxy,
        proxyTls: await this.proxyTls(proxy),
        addresses,
        connectTimeoutMs: request.connectTimeoutMs,
        body: sent,
      };
      const answer = await this.answerTo(plain, receiver, watch.signal);
      watch.rest();
      if (proxy !== undefined && answer.status === 407) {
        await answer.cancel();
        throw proxyError(method, url, proxy, answer.statusText);
      }
      return new WatchedResponse(answer, original, watch, this.options.idleTimeoutMs);
    } catch (error) {
      watch.end();
      throw watch.translate(error, method, url, "net/http: timeout awaiting response headers");
    }
  }

  private answerTo(
    request: PlainRequest,
    receiver: BodyReceiver | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    if (receiver !== undefined) {
      const { method: _, body: __, ...get } = request;
      return receivedAnswer(receiver, get, signal);
    }
    return isForFetch(request)
      ? fetchedAnswer(request, signal)
      : connectedAnswer(this.connections, request, signal);
  }

  /** A proxy's certificate is verified whatever becomes of the server's behind it. */
  private async proxyTls(proxy: string | undefined): Promise<ConnectionTls | undefined> {
    if (!proxy?.startsWith("https:")) return undefined;
    const { host } = new URL(proxy);
    return { ...(await this.options.certificates.for(host, { host })), rejectUnauthorized: true };
  }
}

/**
 * It connects to whatever a name means at that moment, and waits for that as long as it likes; knows no SOCKS; and of an
 * answer through a proxy with a certificate it reads all that comes, whether or not anybody takes it.
 */
function isForFetch({ proxy, addresses, connectTimeoutMs }: PlainRequest): boolean {
  if (connectTimeoutMs !== undefined) return false;
  return proxy === undefined ? addresses === undefined : proxy.startsWith("http:");
}

function isStreamed(body: HttpRequest["body"]): body is StreamedBody {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

function sentBody(body: HttpRequest["body"], onTaken: () => void) {
  if (!isStreamed(body)) return body === undefined || typeof body === "string" ? body : new Uint8Array(body);
  const chunks = body.open()[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      onTaken();
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}

class WatchedResponse implements HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;

  constructor(
    private readonly answer: Answer,
    readonly request: HttpRequest,
    private readonly watch: Watch,
    private readonly idleTimeoutMs: number,
  ) {
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.headers = answer.headers;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        this.watch.expectWithin(this.idleTimeoutMs);
        const chunk = await this.answer.next();
        this.watch.rest();
        if (chunk === undefined) return;
        yield chunk;
      }
    } catch (error) {
      throw this.translate(error);
    } finally {
      this.watch.end();
      // Closes the connection if the body was not read to its end.
      void this.answer.cancel();
    }
  }

  async into(blob: { write(chunk: Uint8Array): Promise<void> }, skip: number): Promise<void> {
    const { append } = this.answer;
    if (append === undefined) {
      for await (const chunk of skipping(this.chunks(), skip)) await blob.write(chunk);
      return;
    }
    this.watch.expectWithin(this.idleTimeoutMs);
    try {
      await append(skip, () => {
        this.watch.rest();
        this.watch.expectWithin(this.idleTimeoutMs);
      });
    } catch (error) {
      throw this.translate(error);
    } finally {
      this.watch.end();
    }
  }

  private translate(error: unknown): unknown {
    const { method, url } = this.request;
    return this.watch.translate(error, method, url, "i/o timeout while reading the body");
  }

  async bytes(limit: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.chunks()) {
      length += part.length;
      if (length > limit) {
        throw unavailable(`${shownRequest(this.request)}: answer of more than ${limit} bytes`, {
          code: "registry.too-long",
        });
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  async discard(): Promise<void> {
    this.watch.end();
    await this.answer.cancel();
  }
}

/** The bytes without the first `count`. */
export async function* skipping(
  chunks: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    const wanted = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - wanted.length;
    if (wanted.length > 0) yield wanted;
  }
}

/** Never from TLS to plain text over a network; of a URL that somebody else chose, `addressesFor` decides. */
function redirectTarget(
  location: string,
  from: string,
  { trust, addressesFor }: Pick<HttpRequest, "trust" | "addressesFor">,
): URL {
  const refused = (to: string, why: string) =>
    unavailable(`Get "${from}": refusing the redirect to ${to}: it is ${why}`, {
      code: "registry.redirect-refused",
    });
  if (!URL.canParse(location, from)) throw refused(JSON.stringify(location), "no address");
  const to = new URL(location, from);
  if (addressesFor !== undefined) return to;
  const plain = to.protocol === "http:" && !isLoopback(hostName(to.host));
  if (to.protocol === "https:" || (to.protocol === "http:" && !(plain && trust.verifyTls))) return to;
  throw refused(to.origin, "not encrypted");
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}
