import { isIP } from "node:net";
import { hostName, portOf } from "../client/host-name.ts";

/** What is sent to the proxy, and how many bytes of its answer are needed to go on. */
export interface Turn {
  readonly send: readonly number[];
  readonly expect: number;
}

/** The proxy does not let the connection through, or speaks something else. `statusText` is the reason. */
export function refusal(statusText: string): Error {
  return Object.assign(new Error(statusText), { code: "ERR_PROXY_TUNNEL", statusText });
}

const version = 5;
const noAuthentication = 0;
const userPassword = 2;
const connectCommand = 1;
const addressType = { ipv4: 1, name: 3, ipv6: 4 };

/** RFC 1928, "Replies", by their numbers. */
const replies = [
  "succeeded",
  "general SOCKS server failure",
  "connection not allowed by ruleset",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/**
 * The client's side of a SOCKS 5 proxy until it is connected to the host of `target`, with the user and password of the
 * proxy's URL. The proxy looks names up, for `socks5:` as for `socks5h:`: as in Go's programs.
 * Each answer is given to `next`. Errors: `refusal`. Spec: RFC 1928; RFC 1929.
 */
export function* socksDialogue(target: URL, proxy: URL): Generator<Turn, void, Uint8Array> {
  const [user, password] = [proxy.username, proxy.password].map((text) =>
    Buffer.from(decodeURIComponent(text)),
  );
  const hasLogin = user !== undefined && password !== undefined && user.length + password.length > 0;
  const methods = hasLogin ? [noAuthentication, userPassword] : [noAuthentication];
  const [spoken, method = -1] = yield { send: [version, methods.length, ...methods], expect: 2 };
  if (spoken !== version) throw refusal("it does not speak SOCKS 5");
  if (!methods.includes(method)) throw refusal("no acceptable authentication methods");
  if (hasLogin && method === userPassword) {
    const login = [1, user.length, ...user, password.length, ...password];
    const [, status] = yield { send: login, expect: 2 };
    if (status !== 0) throw refusal("username/password authentication failed");
  }
  const port = portOf(target);
  const request = [version, connectCommand, 0, ...addressOf(target), port >> 8, port & 255];
  const [, reply = -1, , boundType] = yield { send: request, expect: 4 };
  if (reply !== 0) throw refusal(replies[reply] ?? `unknown code: ${reply}`);
  yield { send: [], expect: (yield* addressBytes(boundType)) + 2 };
}

function* addressBytes(type: number | undefined): Generator<Turn, number, Uint8Array> {
  if (type === addressType.ipv4) return 4;
  if (type === addressType.ipv6) return 16;
  if (type !== addressType.name) throw refusal(`unknown address type: ${type}`);
  const [length = 0] = yield { send: [], expect: 1 };
  return length;
}

function addressOf(target: URL): number[] {
  const host = hostName(target.host);
  if (isIP(host) === 4) return [addressType.ipv4, ...host.split(".").map(Number)];
  if (isIP(host) === 6) return [addressType.ipv6, ...ipv6Bytes(host)];
  const name = Buffer.from(host);
  if (name.length > 255) throw refusal("the name of the host is longer than 255 bytes");
  return [addressType.name, name.length, ...name];
}

/** Of the form in URLs: groups in hexadecimal, with `::` at most once. */
function ipv6Bytes(address: string): number[] {
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
}
