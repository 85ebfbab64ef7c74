import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { RegistrySession } from "./registry-session.ts";
import { responseError } from "./response-error.ts";
import { pause, type RetryPolicy, retryDelayMs } from "./retry.ts";
import type { HttpResponse } from "./transport.ts";

export interface BlobDownload {
  readonly session: RegistrySession;
  /** Below `/v2/`. */
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly offset: number;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  /** An attempt broke off; the next one begins after so many seconds. */
  readonly onRetry?: ((seconds: number) => void) | undefined;
}

/** So many bytes between two failures make the earlier one forgotten. */
const worthwhileBytes = 1 << 20;

/**
 * The bytes of a blob from an offset to the end. What breaks off is taken up by range, until it fails several
 * times in a row without real progress.
 * Errors: NotFound, Unauthorized, Forbidden or Unavailable, naming blob and cause; the signal's reason.
 */
export async function* downloadBlob(download: BlobDownload): AsyncGenerator<Uint8Array, void, undefined> {
  const { descriptor, retry, signal } = download;
  let position = download.offset;
  let failures = 0;
  let failedAt = position;
  while (position < descriptor.size) {
    try {
      for await (const chunk of chunksFrom(download, position)) {
        position += chunk.length;
        yield chunk;
      }
      if (position < descriptor.size) throw brokeOff();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      failures = position - failedAt >= worthwhileBytes ? 1 : failures + 1;
      failedAt = position;
      const delayMs = retryDelayMs(retry, failures, resumable(error, position > download.offset));
      if (delayMs === undefined) throw naming(descriptor, position, error);
      download.onRetry?.(Math.ceil(delayMs / 1000));
      await pause(delayMs, signal);
    }
  }
}

async function* chunksFrom(download: BlobDownload, position: number): AsyncGenerator<Uint8Array> {
  const { session, path, descriptor, signal } = download;
  const headers = position > 0 ? { range: `bytes=${position}-` } : {};
  const response = await session.send({ method: "GET", path, headers, signal });
  if (response.status !== 200 && response.status !== 206) throw await responseError(response);
  // A server that ignores ranges begins from the start again.
  const start = response.status === 206 ? rangeStart(response) : 0;
  const wrong = start === undefined || start > position || wrongLength(response, descriptor.size - start);
  if (wrong) {
    await response.discard();
    throw wrongSize(response, descriptor);
  }
  let skip = position - start;
  for await (const chunk of response.chunks()) {
    const wanted = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk;
    skip -= chunk.length - wanted.length;
    if (wanted.length > 0) yield wanted;
  }
}

/** RFC 9110, "Content-Range". */
function rangeStart(response: HttpResponse): number | undefined {
  const [, start] = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  return start === undefined ? undefined : Number(start);
}

function wrongLength(response: HttpResponse, expected: number): boolean {
  const length = response.headers.get("content-length");
  return length !== null && Number(length) !== expected;
}

function wrongSize(response: HttpResponse, { digest, size }: Descriptor): PlatformError {
  const length = response.headers.get("content-range") ?? response.headers.get("content-length") ?? "unknown";
  return unavailable(`blob ${digest} should have ${size} bytes, the registry offers ${length}`, {
    code: "registry.wrong-size",
  });
}

function brokeOff(): PlatformError {
  return unavailable("unexpected EOF", { code: "registry.cut" });
}

/** A registry that was there a moment ago may be restarting. */
function resumable(error: unknown, begun: boolean): unknown {
  const isDown = error instanceof PlatformError && error.code === "registry.refused";
  return begun && isDown ? brokeOff() : error;
}

function naming({ digest, size }: Descriptor, position: number, error: unknown): unknown {
  if (!(error instanceof PlatformError)) return error;
  const { kind, code, hint, message } = error;
  const where = position > 0 ? ` broke off after ${position} of ${size} bytes` : " failed";
  return new PlatformError(kind, `download of ${digest}${where}: ${message}`, { code, hint, cause: error });
}
