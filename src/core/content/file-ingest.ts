import { type FileHandle, open, rm } from "node:fs/promises";
import { invalidParameter, type PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { BodyReceiver } from "../../wire/body-receiver.ts";
import type { BlobWriter, BlobWriters } from "./blob-writer.ts";
import type { ExpectedBlob, Ingest } from "./contract.ts";
import { fileError, isMissingFile } from "./file-error.ts";
import { Growth } from "./growth.ts";
import { renameDurably } from "./write-file-durably.ts";

export interface FileIngestOptions {
  /** Where the partial file grows; what an earlier ingest left there is continued. */
  readonly path: string;
  /** Where `commit` puts it, on the same file system. */
  readonly finalPath: string;
  readonly expected: ExpectedBlob;
  readonly writers: BlobWriters;
  /** Called once, at the end; with the size if the blob got its name. */
  readonly onEnd: (committedBytes: number | undefined) => void;
}

/** An ingest whose bytes go to a file of its own; a `BlobWriter` hashes and writes them. */
export class FileIngest implements Ingest {
  readonly path: string;
  readonly grown: Growth;
  private readonly expected: ExpectedBlob;
  private closed = false;
  private failure: { error: unknown } | undefined;

  private constructor(
    private readonly options: FileIngestOptions,
    private readonly file: FileHandle,
    private readonly writer: BlobWriter,
    growth: Growth,
  ) {
    this.path = options.path;
    this.expected = options.expected;
    this.grown = growth;
  }

  static async open(options: FileIngestOptions): Promise<FileIngest> {
    const { path, expected, writers } = options;
    const file = await openOrCreate(path);
    try {
      const there = (await file.stat()).size;
      const offset = expected.size === undefined || there <= expected.size ? there : 0;
      if (offset < there) await file.truncate(offset);
      const growth = new Growth(offset);
      const onGrown = (size: number) => growth.report(size);
      const writer = await writers.open({ file, offset, expected, onGrown });
      return new FileIngest(options, file, writer, growth);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get offset(): number {
    return this.writer.offset;
  }

  get receiver(): BodyReceiver | undefined {
    return this.writer.receiver;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.requireOpen();
    await this.writer.write(chunk).catch((error) => this.discard(error));
  }

  async commit(): Promise<void> {
    this.requireOpen();
    const written = await this.writer.finish().catch((error) => this.discard(error));
    const problem = mismatch(this.expected, written);
    if (problem !== undefined) await this.discard(problem);
    this.grown.end();
    try {
      await this.file.sync();
      await renameDurably(this.path, this.options.finalPath);
    } catch (error) {
      await this.discard(fileError(error, `store blob ${this.expected.digest}`));
    }
    this.closed = true;
    try {
      await this.writer.close();
      await this.file.close();
    } finally {
      this.options.onEnd(written.size); // it has its name, whatever the closing says
    }
  }

  private requireOpen(): void {
    if (this.closed) throw this.failure?.error ?? new Error(`ingest of ${this.expected.digest} is closed`);
  }

  private async discard(error: unknown): Promise<never> {
    this.failure ??= { error };
    await this.close({ keep: false, reason: error }).catch(() => {}); // the first error tells more
    throw error;
  }

  async close({ keep, reason }: { keep: boolean; reason?: unknown }): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const isWritten = await this.writer.close().then(
      () => true,
      () => false,
    );
    await this.file.close().catch(() => {});
    try {
      if (!(keep && isWritten) || this.offset === 0) await rm(this.path, { force: true });
    } finally {
      // Last: whoever hears of it may go on with the file.
      this.grown.fail(reason ?? new Error(`the ingest of ${this.expected.digest} was given up`));
      this.options.onEnd(undefined);
    }
  }
}

function mismatch(
  { digest, size }: ExpectedBlob,
  written: { readonly size: number; readonly digest: Digest },
): PlatformError | undefined {
  if (size !== undefined && written.size !== size) {
    return invalidParameter(`blob ${digest} has ${written.size} bytes, its descriptor promises ${size}`, {
      code: "content.size-mismatch",
    });
  }
  if (written.digest === digest) return undefined;
  return invalidParameter(`blob ${digest} has the digest ${written.digest}`, {
    code: "content.digest-mismatch",
  });
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    return await open(path, "wx+", 0o600);
  }
}
