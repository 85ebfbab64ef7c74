import type { Socket } from "node:net";
import { Http1ResponseParser, type ParsedHead } from "../../wire/http1-response.ts";
import { isSocks } from "../client/proxy-settings.ts";
import { handshake } from "./handshake.ts";
import { refusal, socksDialogue } from "./socks-dialogue.ts";

/**
 * Has a proxy connect to the host of `target`, so that what follows on the socket goes there.
 * Errors: those of the socket; `ERR_PROXY_TUNNEL` with `statusText` when the proxy refuses.
 */
export async function openTunnel(
  socket: Socket,
  target: URL,
  proxy: URL,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (isSocks(proxy)) await throughSocks(socket, target, proxy, signal);
  else await throughHttp(socket, target, proxy, signal);
}

/** Spec: RFC 9110, "CONNECT". */
async function throughHttp(socket: Socket, target: URL, proxy: URL, signal: AbortSignal | undefined) {
  const authority = `${target.hostname}:${target.port || 443}`;
  const { status, statusText } = await handshake<ParsedHead>(socket, signal, ({ say, done }) => {
    const parser = new Http1ResponseParser({ head: done, body: () => {}, end: () => {} });
    // Whatever the proxy says of a length: after its head the other side speaks.
    parser.expect({ headRequest: true, upgrade: false });
    const headers = Object.entries({ host: authority, ...proxyAuthorization(proxy) });
    const lines = [`CONNECT ${authority} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
    say(`${lines.join("\r\n")}\r\n\r\n`);
    return (heard) => parser.push(heard);
  });
  if (status !== 200) throw refusal(statusText || `the proxy answered ${status}`);
}

async function throughSocks(socket: Socket, target: URL, proxy: URL, signal: AbortSignal | undefined) {
  await handshake<void>(socket, signal, ({ say, done }) => {
    const dialogue = socksDialogue(target, proxy);
    let buffered = Buffer.alloc(0);
    let wanted = 0;
    const goOn = (answer: Uint8Array) => {
      const { done: isOver, value: turn } = dialogue.next(answer);
      if (isOver) return done();
      wanted = turn.expect;
      if (turn.send.length > 0) say(Uint8Array.from(turn.send));
    };
    goOn(buffered);
    return (heard) => {
      buffered = Buffer.concat([buffered, heard]);
      while (wanted > 0 && buffered.length >= wanted) {
        const answer = buffered.subarray(0, wanted);
        buffered = buffered.subarray(wanted);
        wanted = 0;
        goOn(answer);
      }
    };
  });
}

/** The header with user and password of a proxy's URL, if it has them. RFC 7617. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}
