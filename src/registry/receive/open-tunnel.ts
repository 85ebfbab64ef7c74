import type { Socket } from "node:net";
import { Http1ResponseParser, type ParsedHead } from "../../wire/http1-response.ts";

/**
 * Has a proxy connect to the host of `target`, so that what follows on the socket goes there.
 * Errors: those of the socket; `ERR_PROXY_TUNNEL` with `statusText` when the proxy refuses.
 * Spec: RFC 9110, "CONNECT".
 */
export async function openTunnel(
  socket: Socket,
  target: URL,
  proxy: URL,
  signal: AbortSignal | undefined,
): Promise<void> {
  const authority = `${target.hostname}:${target.port || 443}`;
  const { promise, resolve, reject } = Promise.withResolvers<ParsedHead>();
  const parser = new Http1ResponseParser({ head: resolve, body: () => {}, end: () => {} });
  // Whatever the proxy says of a length: after its head the other side speaks.
  parser.expect({ headRequest: true, upgrade: false });
  const onData = (bytes: Uint8Array) => {
    try {
      parser.push(bytes);
    } catch (error) {
      reject(error);
    }
  };
  const onClose = () => reject(Object.assign(new Error("the proxy closed"), { code: "ECONNRESET" }));
  const onAbort = () => reject(signal?.reason);
  socket.on("data", onData).once("error", reject).once("close", onClose);
  signal?.addEventListener("abort", onAbort);
  try {
    const headers = Object.entries({ host: authority, ...proxyAuthorization(proxy) });
    const lines = [`CONNECT ${authority} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const { status, statusText } = await promise;
    if (status !== 200) {
      const refusal = new Error(`the proxy answered ${status}`);
      throw Object.assign(refusal, { code: "ERR_PROXY_TUNNEL", statusText });
    }
  } finally {
    socket.off("data", onData).off("error", reject).off("close", onClose);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The header with user and password of a proxy's URL, if it has them. RFC 7617. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}
