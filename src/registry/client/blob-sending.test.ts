import { expect, test } from "bun:test";
import { digestOf } from "../../formats/digest.ts";
import { parseReference } from "../../formats/reference.ts";
import { errorResponse, FakeRegistry } from "./fake-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const mebibyte = 1 << 20;
const whole = new Uint8Array(20 * mebibyte).map((_, index) => index % 251);
const descriptor = { mediaType: "application/x", digest: digestOf(whole), size: whole.length };

interface UploadServer {
  /** Bodies of more than this get 413. */
  readonly maxBodyBytes?: number;
  readonly minChunkBytes?: number;
  /** Called with the number of PATCH requests so far: true breaks the server down when the chunk is stored. */
  readonly failsAfterChunk?: (count: number) => boolean;
  /** What a stopped upload has, by its own account; undefined: it does not know the upload. */
  readonly resumable?: boolean;
}

/** A registry with one upload at a time, which moves with every request, as Docker's does. */
function uploadServer(server: UploadServer) {
  const log: string[] = [];
  let stored: Uint8Array = new Uint8Array();
  let step = 0;
  let chunks = 0;
  const location = () => `/upload?step=${++step}`;
  const registry = new FakeRegistry(async (request, { method, path }) => {
    if (method === "POST") {
      stored = new Uint8Array();
      const least =
        server.minChunkBytes === undefined ? {} : { "oci-chunk-min-length": `${server.minChunkBytes}` };
      return new Response(null, { status: 202, headers: { location: location(), ...least } });
    }
    if (!path.startsWith("/upload")) return undefined;
    if (!path.startsWith(`/upload?step=${step}`)) return errorResponse(404, "BLOB_UPLOAD_UNKNOWN", "x");
    if (method === "GET") {
      log.push("GET");
      if (!server.resumable) return errorResponse(404, "BLOB_UPLOAD_UNKNOWN", "x");
      const range = `0-${Math.max(0, stored.length - 1)}`;
      return new Response(null, { status: 204, headers: { range, location: location() } });
    }
    const body = await request.bytes();
    log.push(`${method} ${request.headers.get("content-range") ?? "all"} ${body.length / mebibyte}`);
    if (body.length > (server.maxBodyBytes ?? Number.POSITIVE_INFINITY)) {
      return new Response("<html>too large</html>", { status: 413 });
    }
    if (method === "PATCH" && request.headers.get("content-range")?.split("-")[0] !== String(stored.length)) {
      return errorResponse(416, "BLOB_UPLOAD_INVALID", "out of order");
    }
    stored = Buffer.concat([stored, body]);
    if (method === "PUT") {
      const isGood =
        path.includes(encodeURIComponent(descriptor.digest)) && digestOf(stored) === descriptor.digest;
      return isGood ? new Response(null, { status: 201 }) : errorResponse(400, "DIGEST_INVALID", "x");
    }
    if (server.failsAfterChunk?.(++chunks)) return new Response(null, { status: 502 });
    return new Response(null, { status: 202, headers: { location: location() } });
  });
  return { registry, log, [Symbol.dispose]: () => registry[Symbol.dispose]() };
}

function send(registry: FakeRegistry, onProgress: (bytes: number) => void = () => {}) {
  const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 5 };
  const client = new RegistryClient({ userAgent: "test", retry });
  return client.uploads(parseReference(`${registry.host}/a/b:1`), undefined, []).ensureBlob({
    descriptor,
    open: async function* ({ start, end }) {
      for (let at = start; at < end; at += mebibyte) yield whole.slice(at, Math.min(at + mebibyte, end));
    },
    mountFrom: [],
    onProgress,
    onRetry: () => {},
    signal: new AbortController().signal,
  });
}

test("a registry that refuses the whole gets it in chunks", async () => {
  using server = uploadServer({ maxBodyBytes: 16 * mebibyte, resumable: true });
  const progress: number[] = [];
  expect(await send(server.registry, (bytes) => progress.push(bytes))).toEqual({ kind: "uploaded" });
  expect(server.log).toEqual([
    "PUT all 20",
    "GET",
    "PATCH 0-16777215 16",
    "PATCH 16777216-20971519 4",
    "PUT all 0",
  ]);
  expect(progress.at(-1)).toBe(whole.length);
});

test("chunks that are too large become smaller", async () => {
  using server = uploadServer({ maxBodyBytes: 5 * mebibyte, resumable: true });
  await send(server.registry);
  expect(server.log.filter((line) => line.startsWith("PATCH")).map((line) => line.split(" ")[2])).toEqual([
    ...["16", "4", "4", "4", "4", "4"],
  ]);
});

test("no chunk is smaller than the registry wants it", async () => {
  using server = uploadServer({ maxBodyBytes: 5 * mebibyte, minChunkBytes: 6 * mebibyte, resumable: true });
  await expect(send(server.registry)).rejects.toThrow(
    `upload of ${descriptor.digest} failed: error parsing HTTP 413 response body: "<html>too large</html>"`,
  );
  expect(server.log.filter((line) => line.startsWith("PATCH"))).toHaveLength(1);
});

test("after a break-down it goes on where the registry says that it stopped", async () => {
  using server = uploadServer({
    maxBodyBytes: 16 * mebibyte,
    resumable: true,
    failsAfterChunk: (count) => count === 1,
  });
  await send(server.registry);
  expect(server.log.slice(2)).toEqual([
    "PATCH 0-16777215 16",
    "GET",
    "PATCH 16777216-20971519 4",
    "PUT all 0",
  ]);
});

test("an upload that the registry forgot begins anew", async () => {
  using server = uploadServer({ maxBodyBytes: 16 * mebibyte, failsAfterChunk: (count) => count === 1 });
  await send(server.registry);
  expect(server.log.slice(2)).toEqual([
    ...["PATCH 0-16777215 16", "GET", "PATCH 0-16777215 16", "PATCH 16777216-20971519 4", "PUT all 0"],
  ]);
});
