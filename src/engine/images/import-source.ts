import type { Readable } from "node:stream";
import type { Progress } from "../../core/transfer/contract.ts";
import { invalidParameter, unavailable } from "../../errors/platform-error.ts";
import { connectionError } from "../../registry/client/connection-error.ts";

const progressIntervalMs = 100;

/**
 * The archive of an import: the request's own body for `-`, else what a URL gives; without a scheme it is HTTP.
 * Errors: InvalidParameter for what is no URL; Unavailable when its server does not answer with the file.
 */
export async function importSource(
  source: string,
  body: Readable,
  { onProgress, signal }: { onProgress: (progress: Progress) => void; signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  if (source === "-") return body;
  const url = parseUrl(source.includes("://") ? source : `http://${source}`);
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    throw unavailable(connectionError("GET", String(url), error, undefined).message, { cause: error });
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw unavailable(`failed to GET ${url} with status ${response.status} ${response.statusText}`);
  }
  onProgress({ status: `Downloading from ${url}` });
  return counted(response.body, Number(response.headers.get("content-length") ?? 0), onProgress);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw invalidParameter(`cannot import from ${text}: it is no http or https URL`);
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  total: number,
  onProgress: (progress: Progress) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  let saidAt = 0;
  for await (const piece of source) {
    current += piece.length;
    const now = performance.now();
    if (now - saidAt >= progressIntervalMs) {
      saidAt = now;
      onProgress({ status: "Importing", progressDetail: { current, ...(total > 0 ? { total } : {}) } });
    }
    yield piece;
  }
}
