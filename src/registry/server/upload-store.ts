import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../core/content/contract.ts";
import { fileError, isDiskFull, isMissingFile } from "../../core/content/file-error.ts";
import { KeyedLock } from "../../core/content/keyed-lock.ts";
import {
  createDigester,
  type DigestAlgorithm,
  type Digester,
  digestAlgorithm,
} from "../../formats/digest.ts";
import { refusal } from "./registry-error.ts";
import type { RequestBody } from "./reply.ts";
import type { RepositoryStore } from "./repository-store.ts";

/** An upload that nobody went on with for so long is thrown away. */
export const defaultUploadAgeMs = 7 * 24 * 3600_000;
/** Running hashes kept in memory; an upload beyond them is hashed again at its end. */
const maxHashes = 1000;
const readBytes = 1 << 20;
const uploadId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface RunningHash {
  readonly algorithm: DigestAlgorithm;
  readonly digester: Digester;
  /** How many of the file's bytes are in it. */
  bytes: number;
}

/** Which upload: of which repository. Another repository cannot go on with it. */
export interface UploadName {
  readonly repository: string;
  readonly id: string;
}

/**
 * Blobs that are arriving: one growing file each, whose size is what was received. They outlive the process.
 * Bytes are hashed as they come; the hash is lost with the process, and then the file is read again at the end.
 * One request at a time works on an upload. A client sends the next one when it has the answer to the one before, or has
 * given that up: a body that is still awaited is cut off, and what came of it stays.
 */
export class UploadStore {
  private readonly hashes = new Map<string, RunningHash>();
  private readonly locks = new KeyedLock();
  /** What is being received, by upload. */
  private readonly bodies = new Map<string, RequestBody>();

  constructor(private readonly repositories: RepositoryStore) {}

  /** Errors: errno.ENOSPC and its like. */
  async create(repository: string, algorithm: DigestAlgorithm = "sha256"): Promise<UploadName> {
    const upload = { repository, id: randomUUID() };
    try {
      await mkdir(this.repositories.uploadDirectory(repository), { recursive: true, mode: 0o700 });
      const file = await open(this.path(upload), "wx", 0o600);
      await file.close();
    } catch (error) {
      throw fileError(error, `begin upload ${upload.id}`);
    }
    this.remember(upload.id, { algorithm, digester: createDigester(algorithm), bytes: 0 });
    return upload;
  }

  /** Bytes received. Errors: BLOB_UPLOAD_UNKNOWN. */
  async offset(upload: UploadName): Promise<number> {
    try {
      return (await stat(this.path(upload))).size;
    } catch (error) {
      throw isMissingFile(error) ? unknownUpload(upload) : error;
    }
  }

  /**
   * Appends a request's body. What arrived before the connection broke is kept: the client asks how much, and goes
   * on from there. Returns the new offset.
   *
   * `chunk` is where the client says the bytes belong (`end` exclusive). Errors: RANGE_INVALID when that is not the
   * end of what was received, SIZE_INVALID when the body has another length; then nothing of it is kept. errno.ENOSPC:
   * the upload is gone.
   */
  async append(
    upload: UploadName,
    body: RequestBody,
    chunk?: { readonly start: number; readonly end: number },
  ): Promise<number> {
    using _turn = await this.takeOver(upload);
    const offset = await this.offset(upload);
    if (chunk !== undefined && chunk.start !== offset) {
      throw refusal("RANGE_INVALID", `the chunk begins at ${chunk.start}, but ${offset} bytes were received`);
    }
    await using file = await open(this.path(upload), "r+");
    this.bodies.set(upload.id, body);
    try {
      return await this.receive(upload, file, offset, body, chunk?.end);
    } catch (error) {
      this.hashes.delete(upload.id);
      // What cannot be finished would keep the disk full for as long as uploads may rest.
      if (isDiskFull(error)) await this.discard(upload);
      throw fileError(error, `write upload ${upload.id}`);
    } finally {
      this.bodies.delete(upload.id);
    }
  }

  private async takeOver({ id }: UploadName): Promise<Disposable> {
    this.bodies.get(id)?.cut?.();
    return await this.locks.acquire(id);
  }

  private async receive(
    upload: UploadName,
    file: FileHandle,
    offset: number,
    body: AsyncIterable<Uint8Array>,
    end: number | undefined,
  ): Promise<number> {
    const hash = this.hashes.get(upload.id);
    const running = hash?.bytes === offset ? hash : undefined;
    let position = offset;
    for await (const bytes of body) {
      if (end !== undefined && position + bytes.length > end) await refuseLength(file, offset);
      const written = writeAll(file, bytes, position); // meanwhile it is hashed
      running?.digester.update(bytes);
      await written;
      position += bytes.length;
      if (running) running.bytes = position;
    }
    if (end !== undefined && position !== end) await refuseLength(file, offset);
    return position;
  }

  /** Gives the blob its name in the repository. Errors: DIGEST_INVALID, and the upload is gone. */
  async finish(upload: UploadName, digest: Digest): Promise<void> {
    using _turn = await this.locks.acquire(upload.id);
    const size = await this.offset(upload);
    const actual = await this.digestOf(upload, size, digestAlgorithm(digest));
    const path = this.path(upload);
    this.hashes.delete(upload.id);
    if (actual !== digest) {
      await rm(path, { force: true });
      throw refusal("DIGEST_INVALID", `the ${size} bytes received have the digest ${actual}, not ${digest}`);
    }
    const { content } = this.repositories;
    await this.repositories.addBlob(upload.repository, digest, () => content.adopt(path, { digest, size }));
  }

  private async digestOf(upload: UploadName, size: number, algorithm: DigestAlgorithm): Promise<Digest> {
    const hash = this.hashes.get(upload.id);
    if (hash?.bytes === size && hash.algorithm === algorithm) return hash.digester.digest();
    const digester = createDigester(algorithm);
    await using file = await open(this.path(upload), "r");
    const buffer = new Uint8Array(Math.min(readBytes, size));
    for (let position = 0; position < size; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw new Error(`upload ${upload.id} shrank at ${position}`);
      digester.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    return digester.digest();
  }

  /** Throws the upload away. Errors: BLOB_UPLOAD_UNKNOWN. */
  async cancel(upload: UploadName): Promise<void> {
    using _turn = await this.takeOver(upload);
    await this.offset(upload);
    await this.discard(upload);
  }

  /** The same for its only user; one that is gone is fine. */
  async discard(upload: UploadName): Promise<void> {
    this.hashes.delete(upload.id);
    await rm(this.path(upload), { force: true });
  }

  /** Throws away what nobody has gone on with since; what it threw away, or would. */
  async removeIdle(
    repository: string,
    idleSinceMs: number,
    dryRun: boolean,
  ): Promise<{ id: string; bytes: number }[]> {
    const removed: { id: string; bytes: number }[] = [];
    const isIdle = async (path: string) =>
      ((await this.repositories.files.usedAtMs(path)) ?? Infinity) <= idleSinceMs;
    for (const id of await this.repositories.files.list(this.repositories.uploadDirectory(repository))) {
      const path = uploadId.test(id) ? this.path({ repository, id }) : undefined;
      if (path === undefined || !(await isIdle(path))) continue;
      using _turn = await this.locks.acquire(id);
      if (!(await isIdle(path))) continue; // a request has just gone on with it
      removed.push({ id, bytes: (await stat(path)).size });
      if (dryRun) continue;
      this.hashes.delete(id);
      await rm(path, { force: true });
    }
    return removed;
  }

  private remember(id: string, hash: RunningHash): void {
    const [oldest] = this.hashes.keys();
    if (this.hashes.size >= maxHashes && oldest !== undefined) this.hashes.delete(oldest);
    this.hashes.set(id, hash);
  }

  private path(upload: UploadName): string {
    if (!uploadId.test(upload.id)) throw unknownUpload(upload);
    return join(this.repositories.uploadDirectory(upload.repository), upload.id);
  }
}

const unknownUpload = ({ id }: UploadName) => refusal("BLOB_UPLOAD_UNKNOWN", `no such upload: ${id}`);

async function refuseLength(file: FileHandle, offset: number): Promise<never> {
  await file.truncate(offset);
  throw refusal("SIZE_INVALID", "the body is not as long as its Content-Range says");
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
