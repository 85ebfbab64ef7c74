import { type FileHandle, open, rm } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { invalidParameter } from "../../errors/platform-error.ts";
import { createDigester, type Digester, digestAlgorithm } from "../../formats/digest.ts";
import type { ExpectedBlob, Ingest } from "./contract.ts";
import { fileError, isMissingFile } from "./file-error.ts";
import { Growth } from "./growth.ts";
import { renameDurably } from "./write-file-durably.ts";

/** How much may wait for the disk before `write` makes its caller wait, in bytes. */
const maxPendingBytes = 2 << 20;
/**
 * After so many bytes other events get their turn. A fast network has always the next chunk ready, so that reading
 * and hashing would go on in microtasks alone.
 */
const turnBytes = 256 << 10;
const rehashBytes = 1 << 20;
/** IOV_MAX of writev(2). */
const maxGathered = 1024;

export interface FileIngestOptions {
  /** Where the partial file grows; what an earlier ingest left there is continued. */
  readonly path: string;
  /** Where `commit` puts it, on the same file system. */
  readonly finalPath: string;
  readonly expected: ExpectedBlob;
  /** Called once, at the end; with the size if the blob got its name. */
  readonly onEnd: (committedBytes: number | undefined) => void;
}

/**
 * An ingest whose bytes go to a file of its own. Chunks are hashed as they come (at most some hundred
 * microseconds each) and written behind, gathered, on the thread pool.
 */
export class FileIngest implements Ingest {
  readonly path: string;
  readonly grown: Growth;
  private readonly expected: ExpectedBlob;
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private sinceTurn = 0;
  private flushing: Promise<void> | undefined;
  private failure: { error: unknown } | undefined;
  private closed = false;

  private constructor(
    private readonly options: FileIngestOptions,
    private readonly file: FileHandle,
    private readonly digester: Digester,
    private written: number,
  ) {
    this.path = options.path;
    this.expected = options.expected;
    this.grown = new Growth(written);
  }

  /** What is already in the partial file is hashed again, in steps. */
  static async open(options: FileIngestOptions): Promise<FileIngest> {
    const { path, expected } = options;
    const file = await openOrCreate(path);
    try {
      const digester = createDigester(digestAlgorithm(expected.digest));
      const there = (await file.stat()).size;
      const usable = expected.size === undefined || there <= expected.size ? there : 0;
      if (usable < there) await file.truncate(usable);
      await hashAgain(file, usable, digester);
      return new FileIngest(options, file, digester, usable);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get offset(): number {
    return this.written + this.pendingBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.closed) throw this.failure?.error ?? new Error(`ingest of ${this.expected.digest} is closed`);
    const { digest, size } = this.expected;
    if (size !== undefined && this.offset + chunk.length > size) {
      await this.discard(
        invalidParameter(`blob ${digest} is longer than the ${size} bytes that its descriptor promises`, {
          code: "content.size-mismatch",
        }),
      );
    }
    this.digester.update(chunk);
    this.sinceTurn += chunk.length;
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    this.flushing ??= this.flush();
    if (this.pendingBytes > maxPendingBytes) await this.flushing;
    else if (this.sinceTurn > turnBytes) {
      this.sinceTurn = 0;
      await nextTurn();
    }
    if (this.failure) await this.discard(this.failure.error);
  }

  /** Writes until nothing waits. Never rejects: the failure is thrown by the next call of the owner. */
  private async flush(): Promise<void> {
    try {
      while (this.pending.length > 0) {
        const chunks = this.pending;
        this.pending = [];
        await this.writeAll(chunks);
        const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        this.written += bytes;
        this.pendingBytes -= bytes;
        this.grown.report(this.written);
      }
    } catch (error) {
      this.failure = { error: fileError(error, `write blob ${this.expected.digest}`) };
    } finally {
      this.flushing = undefined;
    }
  }

  private async writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    let position = this.written;
    let rest = chunks;
    while (rest.length > 0) {
      const { bytesWritten } = await this.file.writev(rest.slice(0, maxGathered), position);
      position += bytesWritten;
      rest = withoutFirst(rest, bytesWritten);
    }
  }

  async commit(): Promise<void> {
    if (this.closed) throw this.failure?.error ?? new Error(`ingest of ${this.expected.digest} is closed`);
    await this.flushing;
    if (this.failure) await this.discard(this.failure.error);
    await this.verify();
    this.grown.end();
    try {
      await this.file.sync();
      await renameDurably(this.path, this.options.finalPath);
    } catch (error) {
      await this.discard(fileError(error, `store blob ${this.expected.digest}`));
    }
    this.closed = true;
    await this.file.close();
    this.options.onEnd(this.written);
  }

  private async verify(): Promise<void> {
    const { digest, size } = this.expected;
    if (size !== undefined && this.written !== size) {
      await this.discard(
        invalidParameter(`blob ${digest} has ${this.written} bytes, its descriptor promises ${size}`, {
          code: "content.size-mismatch",
        }),
      );
    }
    const actual = this.digester.digest();
    if (actual !== digest) {
      await this.discard(
        invalidParameter(`blob ${digest} has the digest ${actual}`, { code: "content.digest-mismatch" }),
      );
    }
  }

  private async discard(error: unknown): Promise<never> {
    await this.close({ keep: false, reason: error });
    throw error;
  }

  async close({ keep, reason }: { keep: boolean; reason?: unknown }): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.grown.fail(reason ?? new Error(`the ingest of ${this.expected.digest} was given up`));
    this.pending = keep ? this.pending : [];
    await this.flushing;
    await this.file.close().catch(() => {});
    if (!keep || this.failure || this.written === 0) await rm(this.path, { force: true });
    this.options.onEnd(undefined);
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    return await open(path, "wx+", 0o600);
  }
}

async function hashAgain(file: FileHandle, bytes: number, digester: Digester): Promise<void> {
  const buffer = new Uint8Array(Math.min(rehashBytes, bytes));
  for (let position = 0; position < bytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - position), position);
    if (bytesRead === 0) throw new Error(`partial blob shrank at ${position}`);
    digester.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
