import type { FileHandle } from "node:fs/promises";
import { invalidParameter, type PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { BodyReceiver } from "../../wire/body-receiver.ts";
import type { ExpectedBlob } from "./contract.ts";

/** The file of a blob that is arriving. Its owner closes it, after the writer. */
export interface BlobFile {
  readonly file: FileHandle;
  /** Bytes that are there from before. */
  readonly offset: number;
  readonly expected: ExpectedBlob;
  /** So many bytes can be read now. */
  readonly onGrown: (size: number) => void;
}

/** Appends to the file of a blob, and hashes all of it. */
export interface BlobWriter {
  /** Bytes that were taken, with those from before. */
  readonly offset: number;
  /** Where it is there, bodies of HTTP answers can be taken up without passing this thread. */
  readonly receiver?: BodyReceiver;
  /** Takes the chunk over. Errors: see `Ingest.write`. */
  write(chunk: Uint8Array): Promise<void>;
  /** The size and the digest of what is in the file; nothing is written afterwards. */
  finish(): Promise<{ readonly size: number; readonly digest: Digest }>;
  /** Settles when nothing is written any more. Errors: System if bytes that were taken could not be written. */
  close(): Promise<void>;
}

/** How a content store has its blobs written. */
export interface BlobWriters {
  open(blob: BlobFile): Promise<BlobWriter>;
}

/** Errors: InvalidParameter if a blob of `size` bytes is more than it should be. */
export function checkLength({ digest, size }: ExpectedBlob, length: number): void {
  if (size !== undefined && length > size) throw tooLong(digest, size);
}

function tooLong(digest: Digest, size: number): PlatformError {
  return invalidParameter(`blob ${digest} is longer than the ${size} bytes that its descriptor promises`, {
    code: "content.size-mismatch",
  });
}
