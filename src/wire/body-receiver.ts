/** What a connection over TLS shows and trusts: PEM. */
export interface ConnectionTls {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/**
 * Which addresses a connection may have, of a URL that somebody else chose: public ones, and those in these CIDR ranges.
 * It holds for the addresses that are really connected to, so that a name cannot change its meaning in between. What a
 * proxy connects to is the proxy's affair.
 */
export interface AddressPolicy {
  readonly alsoIn: readonly string[];
}

/** A GET of one URL from one server, without redirects. Plain data, so that it can be posted. */
export interface PlainGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionTls;
  /** URL of an `http:`, `https:` or `socks5:` proxy, perhaps with user and password. */
  readonly proxy: string | undefined;
  /** For the connection to an `https:` proxy. */
  readonly proxyTls?: ConnectionTls | undefined;
  /** Undefined: any address. */
  readonly addresses?: AddressPolicy | undefined;
  /** For the connection, to a proxy where there is one; undefined: as long as the kernel tries. */
  readonly connectTimeoutMs?: number | undefined;
}

/** Any request of one URL, without redirects. */
export interface PlainRequest extends PlainGet {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
}

export interface PlainHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Takes bodies of HTTP answers to where they belong, beside the thread of its caller. One answer at a time: `get` gives
 * up the one before. Of a body that nobody takes, no more is read than a connection's buffers hold.
 * Errors: of the connection, with the code that node:net and node:tls give them; PlatformErrors of the place where the
 * bytes go; the signal's abort as any error.
 */
export interface BodyReceiver {
  get(request: PlainGet, signal: AbortSignal): Promise<PlainHead>;
  /** The next piece of the body; undefined at its end. */
  next(): Promise<Uint8Array | undefined>;
  /** Appends the rest of the body without its first `skip` bytes. `onBytes` is called while bytes arrive. */
  append(skip: number, onBytes: () => void): Promise<void>;
  /** Gives up the answer. */
  cancel(): void;
}
