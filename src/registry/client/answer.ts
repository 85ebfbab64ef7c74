import type { BodyReceiver, ConnectionTls, PlainGet } from "../../wire/body-receiver.ts";

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

export interface FetchRequest extends PlainGet {
  readonly method: string;
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
}

export async function fetchedAnswer(request: FetchRequest, signal: AbortSignal): Promise<Answer> {
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
