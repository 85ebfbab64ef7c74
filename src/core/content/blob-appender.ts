import { readSync, writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createDigester, type Digest, type Digester, digestAlgorithm } from "../../formats/digest.ts";
import { checkLength } from "./blob-writer.ts";
import type { ExpectedBlob } from "./contract.ts";
import { fileError } from "./file-error.ts";

const rehashBytes = 1 << 20;

/** What a Worker appends to the file of a blob: each piece is hashed and written before the next one is taken. */
export class BlobAppender {
  readonly #digester: Digester;
  #size = 0;

  constructor(
    private readonly fd: number,
    private readonly expected: ExpectedBlob,
  ) {
    this.#digester = createDigester(digestAlgorithm(expected.digest));
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#size;
  }

  /** Hashes what is in the file from before, in steps. */
  async hashAgain(bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(rehashBytes, bytes));
    while (this.#size < bytes) {
      const length = this.#try(() =>
        readSync(this.fd, buffer, 0, Math.min(buffer.length, bytes - this.#size), this.#size),
      );
      if (length === 0) throw new Error(`partial blob shrank at ${this.#size}`);
      this.#digester.update(buffer.subarray(0, length));
      this.#size += length;
      await nextTurn();
    }
  }

  /** Errors: InvalidParameter for more bytes than expected, of which none is written; System. */
  append(bytes: Uint8Array): void {
    checkLength(this.expected, this.#size + bytes.length);
    this.#digester.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      const length = this.#try(() => writeSync(this.fd, bytes, at, bytes.length - at, this.#size));
      at += length;
      this.#size += length;
    }
  }

  /** Nothing is appended afterwards. */
  digest(): Digest {
    return this.#digester.digest();
  }

  #try<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw fileError(error, `write blob ${this.expected.digest}`);
    }
  }
}
