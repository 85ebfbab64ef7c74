import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobTarget } from "../../../core/transfer/contract.ts";
import { notFound, PlatformError, unavailable } from "../../../errors/platform-error.ts";
import { type Digest, digestOf } from "../../../formats/digest.ts";
import { createLog } from "../../../log/log.ts";
import { RegistryError } from "../../client/response-error.ts";
import { findBlob } from "../blob-source.ts";
import { openRegistry } from "../registry.ts";
import { registryCode } from "../registry-error.ts";
import { PullThroughCache } from "./pull-through-cache.ts";
import type { Upstream } from "./upstream.ts";

const scratch = mkdtempSync(join(tmpdir(), "gantry-test-cache-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const content = new Uint8Array(1_000_000).map((_, index) => index % 251);
const digest = digestOf(content);

/** One blob, which comes in pieces, each when `next` is called. */
class SlowUpstream implements Upstream {
  readonly offsets: number[] = [];
  private gate = Promise.withResolvers<void>();
  /** Thrown once, behind the first piece. */
  breakOff: unknown;

  constructor(
    private readonly bytes = content,
    private readonly error: unknown = undefined,
  ) {}

  next(): void {
    this.gate.resolve();
    this.gate = Promise.withResolvers<void>();
  }

  repository() {
    const blob = (_descriptor: unknown, offset: number) => this.pieces(offset);
    const refused = () => Promise.reject(this.error ?? notFound("no such manifest"));
    const download = async (_descriptor: unknown, target: BlobTarget) => {
      for await (const piece of this.pieces(target.offset)) await target.write(piece);
    };
    return { resolve: refused, manifest: refused, tags: refused, blob, download, reject: () => false };
  }

  async blobSize(): Promise<number> {
    if (this.error) throw this.error;
    return this.bytes.length;
  }

  async document(): Promise<never> {
    throw this.error ?? notFound("no such list");
  }

  private async *pieces(offset: number): AsyncGenerator<Uint8Array> {
    this.offsets.push(offset);
    const piece = 250_000;
    for (let position = offset; position < this.bytes.length; position += piece) {
      await this.gate.promise;
      if (position > offset && this.breakOff) {
        const error = this.breakOff;
        this.breakOff = undefined;
        throw error;
      }
      yield this.bytes.slice(position, position + piece);
    }
  }
}

async function start(upstream: Upstream, root = mkdtempSync(join(scratch, "root-"))) {
  const registry = await openRegistry(root);
  const log = createLog("error", () => undefined);
  const cache = new PullThroughCache({ ...registry, upstream, log });
  return { root, registry: { ...registry, cache }, cache };
}

async function read(registry: Awaited<ReturnType<typeof start>>["registry"], wanted: Digest, from = 0) {
  const source = await findBlob(registry, "app", wanted);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await source.open({ start: from, end: source.size })) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Lets pieces through until everything has settled. */
async function deliver<T>(upstream: SlowUpstream, work: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = work.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) {
    upstream.next();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await settled;
}

test("many clients read one download while it runs, each from where it wants, and the blob is kept", async () => {
  const upstream = new SlowUpstream();
  const { registry } = await start(upstream);
  const readers = [0, 0, 600_000, 999_999].map((from) => read(registry, digest, from));
  const results = await deliver(upstream, Promise.all(readers));
  expect(results.map((bytes) => bytes.length)).toEqual([1_000_000, 1_000_000, 400_000, 1]);
  expect(digestOf(results[1] as Uint8Array)).toBe(digest);
  expect(upstream.offsets).toEqual([0]);
  expect(registry.repositories.hasBlob("app", digest)).toBe(true);
  expect((await read(registry, digest)).length).toBe(1_000_000);
  expect(upstream.offsets).toEqual([0]);
});

test("nobody gets the last byte of a blob whose digest is wrong, and it is not kept", async () => {
  const upstream = new SlowUpstream(content.map((byte) => byte ^ 1));
  const { registry } = await start(upstream);
  const source = await findBlob(registry, "app", digest);
  let received = 0;
  const reading = async () => {
    for await (const chunk of await source.open({ start: 0, end: source.size })) received += chunk.length;
  };
  await expect(deliver(upstream, reading())).rejects.toThrow("digest");
  expect(received).toBeLessThan(content.length);
  expect(registry.content.has(digest)).toBe(false);
});

test("what broke off is gone on with, also after a restart", async () => {
  const upstream = new SlowUpstream();
  upstream.breakOff = unavailable("unexpected EOF");
  const { registry, root } = await start(upstream);
  await expect(deliver(upstream, read(registry, digest))).rejects.toThrow("unexpected EOF");
  const again = await start(upstream, root);
  expect(digestOf(await deliver(upstream, read(again.registry, digest)))).toBe(digest);
  expect(upstream.offsets[0]).toBe(0);
  expect(upstream.offsets[1]).toBeGreaterThan(0);
});

test("a limit of the upstream is told as one", async () => {
  const limit = new RegistryError("Unavailable", "too many requests: slow down", "TOOMANYREQUESTS", 429);
  const { registry, cache } = await start(new SlowUpstream(content, limit));
  const codeOf = (work: Promise<unknown>) => work.then(() => "none", registryCode);
  expect(await codeOf(findBlob(registry, "app", digest))).toBe("TOOMANYREQUESTS");
  expect(await codeOf(cache.refreshManifest("app", "v1"))).toBe("TOOMANYREQUESTS");
  expect(await codeOf(cache.document("app", "tags/list", false))).toBe("TOOMANYREQUESTS");
  expect(await codeOf(cache.document("app", "tags/list", true))).toBe("none");
});

test.each([
  ["Unavailable", "UNAVAILABLE"],
  ["Forbidden", "DENIED"],
  ["Unauthorized", "DENIED"],
  ["NotFound", undefined],
] as const)("an upstream that answers %s is told as %p", async (kind, code) => {
  const { registry, cache } = await start(new SlowUpstream(content, new PlatformError(kind, "no")));
  const codeOf = (work: Promise<unknown>) => work.then(() => "none", registryCode);
  expect(await codeOf(findBlob(registry, "app", digest))).toBe(code ?? "BLOB_UNKNOWN");
  expect(await codeOf(cache.refreshManifest("app", "v1"))).toBe(code ?? "MANIFEST_UNKNOWN");
  expect(await codeOf(cache.document("app", "tags/list", false))).toBe(code ?? "NAME_UNKNOWN");
  expect(await codeOf(cache.document("app", "tags/list", true))).toBe(
    code === "UNAVAILABLE" ? "none" : (code ?? "NAME_UNKNOWN"),
  );
});
