import { type ErrorKind, PlatformError } from "../../errors/platform-error.ts";
import { parseChallenges } from "./parse-challenges.ts";
import type { HttpResponse } from "./transport.ts";

/** One entry of a registry's error document. Distribution spec, "Error Codes". */
export interface RegistryErrorEntry {
  /** `MANIFEST_UNKNOWN`. */
  readonly code: string;
  readonly message: string;
}

/** An answer that is an error, with the code by which the caller can tell which. */
export class RegistryError extends PlatformError {
  constructor(
    kind: ErrorKind,
    message: string,
    readonly registryCode: string,
    readonly status: number,
    /** How long the registry wants to be left alone, in milliseconds. */
    readonly retryAfterMs?: number,
    hint?: string,
  ) {
    super(kind, message, { code: `registry.${registryCode.toLowerCase().replaceAll("_", "-")}`, hint });
  }
}

const maxErrorBytes = 64 << 10;
const deniedMessage = "requested access to the resource is denied";

/** Reads the body of a failed answer. The text is `code: message` in the way of Docker's own client. */
export async function responseError(response: HttpResponse): Promise<PlatformError> {
  const { status, statusText } = response;
  if (status < 400 || status >= 500) {
    const message = documentEntry(await bodyText(response))?.message;
    const reason = message ? `: ${message}` : "";
    return new RegistryError(
      "Unavailable",
      `received unexpected HTTP status: ${`${status} ${statusText}`.trimEnd()}${reason}`,
      "UNAVAILABLE",
      status,
      retryAfterMs(response.headers),
    );
  }
  const text = await bodyText(response);
  const entry = challengeEntry(response.headers) ?? documentEntry(text) ?? defaultEntry(status);
  if (entry === undefined) {
    const message = `error parsing HTTP ${status} response body: ${JSON.stringify(text.slice(0, 200))}`;
    return new RegistryError("Unavailable", message, "BAD_ERROR", status);
  }
  return new RegistryError(
    kindOf(entry.code, status),
    `${entry.code.toLowerCase().replaceAll("_", " ")}: ${entry.message}`,
    entry.code,
    status,
    status === 429
      ? (retryAfterMs(response.headers) ?? usedUpMs(response.headers))
      : retryAfterMs(response.headers),
    status === 429 ? rateLimitHint(response.headers) : undefined,
  );
}

async function bodyText(response: HttpResponse): Promise<string> {
  const body = await response.bytes(maxErrorBytes).catch(() => undefined);
  return body === undefined ? "" : new TextDecoder().decode(body);
}

/** Docker Hub's headers: `ratelimit-limit: 100;w=21600`, so many pulls in a window of so many seconds. */
function rateLimit(headers: Headers, name: "limit" | "remaining") {
  const [, count, seconds] = /^(\d+);w=(\d+)/.exec(headers.get(`ratelimit-${name}`) ?? "") ?? [];
  return count === undefined ? undefined : { count: Number(count), windowMs: Number(seconds) * 1000 };
}

/** When nothing is left of the limit, only the end of its window helps. */
function usedUpMs(headers: Headers): number | undefined {
  const remaining = rateLimit(headers, "remaining");
  return remaining?.count === 0 ? remaining.windowMs : undefined;
}

function rateLimitHint(headers: Headers): string {
  const limit = rateLimit(headers, "limit");
  const known = limit
    ? `the registry allows ${limit.count} pulls in ${limit.windowMs / 3_600_000} hours; `
    : "";
  return `${known}log in for a higher limit, or configure a mirror (--registry-mirror of the engine)`;
}

/** RFC 6750, "The WWW-Authenticate Response Header Field": the reason why a token was not enough. */
function challengeEntry(headers: Headers): RegistryErrorEntry | undefined {
  for (const { scheme, parameters } of parseChallenges(headers.get("www-authenticate"))) {
    if (scheme !== "bearer") continue;
    const message = parameters.error_description;
    if (parameters.error === "invalid_token") {
      return { code: "UNAUTHORIZED", message: message ?? "authentication required" };
    }
    if (parameters.error === "insufficient_scope") {
      return { code: "DENIED", message: message ?? deniedMessage };
    }
  }
  return undefined;
}

/** `{"errors":[{"code","message"}]}`, or a token server's `{"details": "…"}`. */
function documentEntry(text: string): RegistryErrorEntry | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== "object" || document === null) return undefined;
  if ("details" in document && typeof document.details === "string") {
    return { code: "UNAUTHORIZED", message: document.details };
  }
  const [first] = "errors" in document && Array.isArray(document.errors) ? document.errors : [];
  if (typeof first !== "object" || first === null || typeof first.code !== "string") return undefined;
  return { code: first.code, message: typeof first.message === "string" ? first.message : "" };
}

/** Answers whose meaning is clear without a document. */
function defaultEntry(status: number): RegistryErrorEntry | undefined {
  switch (status) {
    case 401:
      return { code: "UNAUTHORIZED", message: "authentication required" };
    case 403:
      return { code: "DENIED", message: deniedMessage };
    case 429:
      return { code: "TOOMANYREQUESTS", message: "too many requests" };
    default:
      return undefined;
  }
}

function kindOf(code: string, status: number): ErrorKind {
  if (code === "UNAUTHORIZED" || status === 401) return "Unauthorized";
  if (code === "DENIED" || status === 403) return "Forbidden";
  if (status === 404) return "NotFound";
  return "Unavailable";
}

/** Seconds, or a date. RFC 9110, "Retry-After". */
function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
