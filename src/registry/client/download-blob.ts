import { isStorageError } from "../../core/content/file-error.ts";
import type { BlobTarget } from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { BodyReceiver } from "../../wire/body-receiver.ts";
import type { RequestSender } from "./registry-session.ts";
import { responseError } from "./response-error.ts";
import { pause, type RetryPolicy, retryDelayMs } from "./retry.ts";
import { type HttpResponse, skipping } from "./transport.ts";

export interface BlobDownload {
  /** What is asked: a registry, or another server that has the blob. */
  readonly session: RequestSender;
  /** See `ApiRequest`. */
  readonly path: string | URL;
  readonly descriptor: Descriptor;
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
export async function* downloadBlob(
  download: BlobDownload,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size } = download.descriptor;
  const failures = new DownloadFailures(download, offset);
  let position = offset;
  while (position < size) {
    try {
      const { response, skip } = await bodyFrom(download, position);
      for await (const chunk of skipping(response.chunks(), skip)) {
        position += chunk.length;
        yield chunk;
      }
      if (position < size) throw brokeOff();
    } catch (error) {
      await failures.recover(error, position);
    }
  }
}

/** The same, into the target from where it is. Errors: also those of the target, as they are. */
export async function downloadInto(download: BlobDownload, target: BlobTarget): Promise<void> {
  const { size } = download.descriptor;
  const failures = new DownloadFailures(download, target.offset);
  while (target.offset < size) {
    try {
      const { response, skip } = await bodyFrom(download, target.offset, target.receiver);
      await response.into(target, skip);
      if (target.offset < size) throw brokeOff();
    } catch (error) {
      if (isStorageError(error)) throw error;
      await failures.recover(error, target.offset);
    }
  }
}

/** Counts the failures of one download. */
class DownloadFailures {
  private count = 0;
  private lastAt: number;

  constructor(
    private readonly download: BlobDownload,
    private readonly start: number,
  ) {
    this.lastAt = start;
  }

  /** Waits until the next attempt is due. Errors: the failure, named, when there is none; the signal's reason. */
  async recover(error: unknown, position: number): Promise<void> {
    const { descriptor, retry, signal, onRetry } = this.download;
    if (signal.aborted) throw signal.reason;
    this.count = position - this.lastAt >= worthwhileBytes ? 1 : this.count + 1;
    this.lastAt = position;
    const delayMs = retryDelayMs(retry, this.count, resumable(error, position > this.start));
    if (delayMs === undefined) throw naming(descriptor, position, error);
    onRetry?.(Math.ceil(delayMs / 1000));
    await pause(delayMs, signal);
  }
}

/** Asks for the rest of the blob; `skip` is how much of the answer's body is before it. */
async function bodyFrom(
  { session, path, descriptor, signal }: BlobDownload,
  position: number,
  receiver?: BodyReceiver,
): Promise<{ readonly response: HttpResponse; readonly skip: number }> {
  const headers = position > 0 ? { range: `bytes=${position}-` } : {};
  const response = await session.send({ method: "GET", path, headers, receiver, signal });
  if (response.status !== 200 && response.status !== 206) throw await responseError(response);
  // A server that ignores ranges begins from the start again.
  const start = response.status === 206 ? rangeStart(response) : 0;
  if (start === undefined || start > position || wrongLength(response, descriptor.size - start)) {
    await response.discard();
    throw wrongSize(response, descriptor);
  }
  return { response, skip: position - start };
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
  return unavailable(`blob ${digest} should have ${size} bytes, the server offers ${length}`, {
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
