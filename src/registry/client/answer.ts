import type { BodyReceiver, ConnectionTls, PlainGet, PlainRequest } from "../../wire/body-receiver.ts";
import { connectionFault } from "../receive/connection-fault.ts";
import type { Connections } from "../receive/connections.ts";

/** What a server answered to one request, however it was sent. Errors: those of `fetch` and of BodyReceiver. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** The next piece of the body; undefined at its end. */
  next(): Promise<Uint8Array | undefined>;
  /** Gives up the rest of the body, and the connection if need be. */
  cancel(): Promise<void>;
  /** Appends the body where the receiver puts it; undefined without one. */
  readonly append?: BodyReceiver["append"];
}

export async function fetchedAnswer(request: PlainRequest, signal: AbortSignal): Promise<Answer> {
  const { method, url, headers, tls, proxy, body: sent } = request;
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    redirect: "manual",
    // The bytes are what the digest covers, whatever Content-Encoding says.
    decompress: false,
    signal,
    tls: copyOf(tls),
    timeout: false,
    ...(proxy === undefined ? {} : { proxy }),
    ...(sent === undefined ? {} : { body: sent }),
  });
  const body = response.body?.getReader();
  return {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
    next: async () => (await body?.read())?.value,
    cancel: async () => {
      await body?.cancel().catch(() => {});
    },
  };
}

/** fetch wants a list of its own. */
const copyOf = ({ ca, ...rest }: ConnectionTls) => ({ ...rest, ...(ca ? { ca: [...ca] } : {}) });

/** On connections of our own, for what `fetch` does not do: see `PlainGet.addresses`. */
export async function connectedAnswer(
  connections: Connections,
  request: PlainRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const givenUp = new AbortController();
  const either = AbortSignal.any([signal, givenUp.signal]);
  const { status, statusText = "", headers, body } = await connections.send(request, either).catch(fail);
  const pieces = body[Symbol.asyncIterator]();
  return {
    status,
    statusText,
    headers: new Headers([...headers]),
    next: async () => (await pieces.next().catch(fail)).value,
    // Of an answer that is there as a whole the connection stays.
    cancel: async () => givenUp.abort(),
  };
}

function fail(error: unknown): never {
  const { message, ...fault } = connectionFault(error);
  throw Object.assign(new Error(message), fault);
}

export async function receivedAnswer(
  receiver: BodyReceiver,
  request: PlainGet,
  signal: AbortSignal,
): Promise<Answer> {
  const { status, statusText, headers } = await receiver.get(request, signal);
  return {
    status,
    statusText,
    headers: new Headers(headers.map(([name, value]) => [name, value])),
    next: () => receiver.next(),
    cancel: async () => receiver.cancel(),
    append: (skip, onBytes) => receiver.append(skip, onBytes),
  };
}
