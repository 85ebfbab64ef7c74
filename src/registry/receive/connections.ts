import { digestOf } from "../../formats/digest.ts";
import type { PlainGet, PlainRequest } from "../../wire/body-receiver.ts";
import { Http1Client, type HttpResponse } from "../../wire/http1-client.ts";
import { isSocks } from "../client/proxy-settings.ts";
import { connectFor } from "./net-socket.ts";
import { proxyAuthorization } from "./open-tunnel.ts";

/** Sends requests; connections that are idle are used again for the same server, proxy and certificates. */
export class Connections {
  readonly #clients = new Map<string, Http1Client>();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** Connections are closed when nothing was sent for `idleMs`. */
  constructor(private readonly idleMs = 30_000) {}

  get(request: PlainGet, signal: AbortSignal): Promise<HttpResponse> {
    return this.send({ ...request, method: "GET", body: undefined }, signal);
  }

  /** The body is read no further than its reader is. Errors: see `connectFor`; System with the code `http.cut`. */
  send({ method, headers, body, ...where }: PlainRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { url, tls, proxy, proxyTls, addresses } = where;
    Object.values(headers).forEach(checkValue);
    const target = new URL(url);
    const { origin, host, pathname, search } = target;
    const key = digestOf(JSON.stringify([origin, proxy, tls, proxyTls, addresses]));
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = new Http1Client((events, stop) => connectFor(where, events, stop), host);
      this.#clients.set(key, client);
    }
    this.#closeLater();
    const path = pathname + search;
    // RFC 9112, "absolute-form": a proxy that is no tunnel is told the whole URL.
    const isTold = proxy !== undefined && target.protocol === "http:" && !isSocks(new URL(proxy));
    const told = isTold ? proxyAuthorization(new URL(proxy)) : {};
    return client.request({
      method,
      path: isTold ? origin + path : path,
      headers: { ...headers, ...told },
      ...(body === undefined ? {} : { body }),
      signal,
    });
  }

  #closeLater(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#closeIdle(), this.idleMs).unref();
  }

  /** What is in use now is looked at again. */
  #closeIdle(): void {
    for (const [key, client] of this.#clients) if (!client.closeIdle()) this.#clients.delete(key);
    if (this.#clients.size > 0) this.#closeLater();
  }
}

/** RFC 9110, "Field Values": a token server's answer must not become a header of its own. */
function checkValue(value: string): void {
  if (/[\r\n\0]/.test(value)) throw new Error("a header of the request has a line break in its value");
}
