import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { readdir, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { notFound } from "../../errors/platform-error.ts";
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
} from "../../formats/digest.ts";
import { BlobLabelFiles } from "./blob-label-files.ts";
import type { BlobWriters } from "./blob-writer.ts";
import type { BlobLabels, ContentStore, ExpectedBlob, Ingest, PartialBlob } from "./contract.ts";
import { digestOfFileName, fileNameOf } from "./digest-file-name.ts";
import { fileError, isMissingFile } from "./file-error.ts";
import { FileIngest } from "./file-ingest.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { LocalBlobWriter } from "./local-blob-writer.ts";
import { readPieces } from "./read-pieces.ts";
import { renameDurably, syncFile, writeFileDurably } from "./write-file-durably.ts";

const algorithms = ["sha256", "sha512"] as const;

/**
 * The content store in a directory: `blobs/<algorithm>/<hex>`, `ingest/<algorithm>-<hex>` for what is still
 * arriving, and `labels/<algorithm>-<hex>.json` for blobs that have labels. The directory is scanned once; presence is
 * answered from memory. One process owns it.
 */
export class FileContentStore implements ContentStore {
  private readonly sizes = new Map<Digest, number>();
  private readonly writers = new KeyedLock();
  private readonly labelFiles: BlobLabelFiles;
  /** For files that are to be adopted. What an earlier process left there is deleted. */
  readonly spoolDirectory: string;

  /** Makes the directories if they are missing. */
  constructor(
    private readonly directory: string,
    private readonly blobWriters: BlobWriters = LocalBlobWriter,
  ) {
    this.spoolDirectory = join(directory, "spool");
    rmSync(this.spoolDirectory, { recursive: true, force: true });
    mkdirSync(this.spoolDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(join(directory, "ingest"), { recursive: true, mode: 0o700 });
    this.labelFiles = new BlobLabelFiles(join(directory, "labels"));
    for (const algorithm of algorithms) {
      const folder = join(directory, "blobs", algorithm);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) {
        const digest = `${algorithm}:${name}`;
        if (isDigest(digest)) this.sizes.set(digest, statSync(join(folder, name)).size);
      }
    }
    this.labelFiles.removeOrphans((digest) => this.sizes.has(digest));
  }

  has(digest: Digest): boolean {
    return this.sizes.has(digest);
  }

  size(digest: Digest): number | undefined {
    return this.sizes.get(digest);
  }

  path(digest: Digest): string {
    if (!this.sizes.has(digest)) throw notFound(`no such blob: ${digest}`, { code: "content.missing" });
    return this.blobPath(digest);
  }

  async read(digest: Digest): Promise<Uint8Array> {
    const path = this.path(digest);
    try {
      return await Bun.file(path).bytes();
    } catch (error) {
      throw fileError(error, `read blob ${digest}`);
    }
  }

  readStream(digest: Digest, range?: { start: number; end?: number }): AsyncIterable<Uint8Array> {
    return readPieces(this.path(digest), range);
  }

  async ingest(expected: ExpectedBlob, signal?: AbortSignal): Promise<Ingest | undefined> {
    const { digest } = expected;
    const turn = await this.writers.acquire(digest, signal);
    if (this.sizes.has(digest)) {
      turn[Symbol.dispose]();
      return undefined;
    }
    try {
      return await FileIngest.open({
        path: this.ingestPath(digest),
        finalPath: this.blobPath(digest),
        expected,
        writers: this.blobWriters,
        onEnd: (bytes) => {
          if (bytes !== undefined) this.sizes.set(digest, bytes);
          turn[Symbol.dispose]();
        },
      });
    } catch (error) {
      turn[Symbol.dispose]();
      throw fileError(error, `open the partial blob ${digest}`);
    }
  }

  async put(bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256"): Promise<Digest> {
    const digest = digestOf(bytes, algorithm);
    await this.store(digest, bytes.length, async (path) => {
      // The ingest's partial file is replaced: whoever holds the lock owns that name.
      await writeFileDurably(path, bytes, this.ingestPath(digest));
    });
    return digest;
  }

  async adopt(path: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void> {
    const moved = await this.store(blob.digest, blob.size, async (to) => {
      await syncFile(path);
      await renameDurably(path, to);
    });
    if (!moved) await rm(path, { force: true });
  }

  /** Runs `place` alone for its digest, unless the blob is present. */
  private async store(
    digest: Digest,
    size: number,
    place: (path: string) => Promise<void>,
  ): Promise<boolean> {
    using _turn = await this.writers.acquire(digest);
    if (this.sizes.has(digest)) return false;
    try {
      await place(this.blobPath(digest));
    } catch (error) {
      throw fileError(error, `write blob ${digest}`);
    }
    this.sizes.set(digest, size);
    return true;
  }

  async remove(digest: Digest): Promise<boolean> {
    // Gone from memory at once: nobody may build on a blob that is about to go.
    if (!this.sizes.delete(digest)) return false;
    using _turn = await this.writers.acquire(digest);
    if (this.sizes.has(digest)) return true; // a writer before this one brought it back
    await rm(this.blobPath(digest), { force: true }).catch((error) => {
      throw fileError(error, `remove blob ${digest}`);
    });
    await this.labelFiles.remove(digest);
    return true;
  }

  list(): Digest[] {
    return [...this.sizes.keys()];
  }

  async partials(): Promise<PartialBlob[]> {
    const found: PartialBlob[] = [];
    for (const name of await readdir(join(this.directory, "ingest"))) {
      const digest = digestOfFileName(name);
      if (digest === undefined || this.writers.isHeld(digest)) continue;
      const status = await stat(this.ingestPath(digest)).catch(ignoreMissing);
      if (status === undefined || this.writers.isHeld(digest)) continue;
      found.push({ digest, size: status.size, changedAtMs: Math.floor(status.mtimeMs) });
    }
    return found;
  }

  async removePartial(digest: Digest): Promise<boolean> {
    if (this.writers.isHeld(digest)) return false;
    using _turn = await this.writers.acquire(digest);
    try {
      await unlink(this.ingestPath(digest));
      return true;
    } catch (error) {
      if (isMissingFile(error)) return false;
      throw fileError(error, `remove the partial blob ${digest}`);
    }
  }

  labels(digest: Digest): Promise<BlobLabels> {
    return this.labelFiles.read(digest);
  }

  async label(digest: Digest, labels: BlobLabels): Promise<void> {
    using _turn = await this.writers.acquire(digest);
    this.path(digest); // present
    await this.labelFiles.merge(digest, labels);
  }

  private blobPath(digest: Digest): string {
    return join(this.directory, "blobs", digestAlgorithm(digest), digestHex(digest));
  }

  private ingestPath(digest: Digest): string {
    return join(this.directory, "ingest", fileNameOf(digest));
  }
}

const ignoreMissing = (error: unknown): undefined => {
  if (!isMissingFile(error)) throw error;
};
