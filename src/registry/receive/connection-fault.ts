import { PlatformError } from "../../errors/platform-error.ts";

/** What a connection threw, in the form in which node:net and node:tls throw it: with a code for the reason. */
export interface ConnectionFault {
  readonly message: string;
  readonly code: string | undefined;
  /** Of a proxy that refused. */
  readonly statusText: string | undefined;
}

export function connectionFault(error: unknown): ConnectionFault {
  const isCut = error instanceof PlatformError && error.code === "http.cut";
  const cause = isCut ? (error.cause ?? cut) : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  // What `fetch` sums up under this name, node:tls tells with the names of its library.
  const code = textOf(cause, "code")?.replace(/^ERR_SSL_.*/, "EPROTO");
  return { message, code, statusText: textOf(cause, "statusText") };
}

const cut = Object.assign(new Error("unexpected EOF"), { code: "ECONNRESET" });

function textOf(error: unknown, field: "code" | "statusText"): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, field) : undefined;
  return value === undefined ? undefined : String(value);
}
