import type { FileHandle } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createDigester, type Digest, type Digester, digestAlgorithm } from "../../formats/digest.ts";
import { type BlobFile, type BlobWriter, checkLength } from "./blob-writer.ts";
import { fileError } from "./file-error.ts";

/** How much may wait for the disk before `write` makes its caller wait, in bytes. */
const maxPendingBytes = 2 << 20;
/**
 * After so many bytes other events get their turn. A fast source has always the next chunk ready, so that reading
 * and hashing would go on in microtasks alone.
 */
const turnBytes = 256 << 10;
const rehashBytes = 1 << 20;
/** IOV_MAX of writev(2). */
const maxGathered = 1024;

/**
 * Writes on the calling thread: chunks are hashed as they come (at most some hundred microseconds each) and written
 * behind, gathered, on the thread pool.
 */
export class LocalBlobWriter implements BlobWriter {
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private sinceTurn = 0;
  private flushing: Promise<void> | undefined;
  private failure: { error: unknown } | undefined;
  private written: number;

  private constructor(
    private readonly blob: BlobFile,
    private readonly digester: Digester,
  ) {
    this.written = blob.offset;
  }

  /** What is already in the file is hashed again, in steps. */
  static async open(blob: BlobFile): Promise<LocalBlobWriter> {
    const digester = createDigester(digestAlgorithm(blob.expected.digest));
    await hashAgain(blob.file, blob.offset, digester);
    return new LocalBlobWriter(blob, digester);
  }

  get offset(): number {
    return this.written + this.pendingBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    checkLength(this.blob.expected, this.offset + chunk.length);
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
    if (this.failure) throw this.failure.error;
  }

  async finish(): Promise<{ size: number; digest: Digest }> {
    await this.close();
    return { size: this.written, digest: this.digester.digest() };
  }

  async close(): Promise<void> {
    await this.flushing;
    if (this.failure) throw this.failure.error;
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
        this.blob.onGrown(this.written);
      }
    } catch (error) {
      this.failure = { error: fileError(error, `write blob ${this.blob.expected.digest}`) };
    } finally {
      this.flushing = undefined;
    }
  }

  private async writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    let position = this.written;
    let rest = chunks;
    while (rest.length > 0) {
      const { bytesWritten } = await this.blob.file.writev(rest.slice(0, maxGathered), position);
      position += bytesWritten;
      rest = withoutFirst(rest, bytesWritten);
    }
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
