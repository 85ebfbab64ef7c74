import { type FileHandle, open } from "node:fs/promises";

const chunkBytes = 128 * 1024;
const newline = 0x0a;

/** Reads whole lines of a file that may still grow; an unfinished last line waits for its rest. */
export class LineReader implements AsyncDisposable {
  #rest: Uint8Array = new Uint8Array(0);
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);

  private constructor(
    private readonly file: FileHandle,
    private offset: number,
    readonly inode: number,
  ) {}

  static async open(path: string, offset: number): Promise<LineReader> {
    const file = await open(path, "r");
    return new LineReader(file, offset, (await file.stat()).ino);
  }

  /** The next whole lines without their newlines; undefined at the present end of the file. */
  async next(): Promise<string[] | undefined> {
    for (;;) {
      const { bytesRead } = await this.file.read(this.#chunk, 0, chunkBytes, this.offset);
      if (bytesRead === 0) return undefined;
      this.offset += bytesRead;
      const fresh = this.#chunk.subarray(0, bytesRead);
      const end = fresh.lastIndexOf(newline);
      if (end < 0) {
        this.#rest = Buffer.concat([this.#rest, fresh]);
        continue;
      }
      const whole = Buffer.concat([this.#rest, fresh.subarray(0, end)]);
      this.#rest = Buffer.from(fresh.subarray(end + 1));
      return whole.toString("utf8").split("\n");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }
}
