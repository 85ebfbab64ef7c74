import { type FileHandle, open } from "node:fs/promises";
import type { ContentStore, Digest, Ingest } from "../../../core/content/contract.ts";
import { isMissingFile } from "../../../core/content/file-error.ts";
import type { ByteRange } from "../byte-range.ts";

const readBytes = 256 << 10;

/** A blob that is being downloaded once and read by any number of clients meanwhile. */
export class BlobFetch {
  /** Settles when the blob is verified and in the store; rejects when the download has failed. */
  readonly done: Promise<void>;

  constructor(
    private readonly content: Pick<ContentStore, "path">,
    private readonly digest: Digest,
    readonly size: number,
    private readonly ingest: Ingest,
    download: (ingest: Ingest) => Promise<void>,
  ) {
    this.done = download(ingest);
    this.done.catch(() => undefined); // also when nobody reads any more
  }

  /** Settles when the first bytes are there. Errors: those of the download. */
  async begun(): Promise<void> {
    for await (const _bytes of this.ingest.grown) return;
  }

  /**
   * The bytes of a range, as they arrive. The blob's last byte comes only when the whole blob is verified and kept:
   * nobody gets a complete blob that is a wrong one. Throws when the download fails.
   */
  async *read({ start, end }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    await using file = await this.open();
    let position = start;
    for await (const arrived of this.ingest.grown) {
      const until = Math.min(arrived, end, this.size - 1);
      for await (const chunk of readBetween(file, position, until)) {
        position += chunk.length;
        yield chunk;
      }
      if (position === end) return;
    }
    await this.done;
    yield* readBetween(file, position, end);
  }

  /** Small blobs can have their final name before they are opened. */
  private async open(): Promise<FileHandle> {
    try {
      return await open(this.ingest.path, "r");
    } catch (error) {
      if (!isMissingFile(error)) throw error;
      await this.done;
      return await open(this.content.path(this.digest), "r");
    }
  }
}

async function* readBetween(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let position = start; position < end; ) {
    const buffer = new Uint8Array(Math.min(readBytes, end - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`the file of a blob ends at ${position}`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
