import { type FileHandle, open } from "node:fs/promises";
import { logFiles } from "./log-files.ts";

const chunkBytes = 128 * 1024;
const newline = 0x0a;

export interface ReadRange {
  readonly offset: number;
  /** Whether what is written from now on is read, too. */
  readonly growing: boolean;
}

/** Reads whole lines of a file that may still grow; an unfinished last line waits for its rest. */
export class LineReader implements AsyncDisposable {
  #rest: Uint8Array = new Uint8Array(0);
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);

  private constructor(
    private readonly file: FileHandle,
    private offset: number,
    private readonly end: number,
    readonly inode: number,
  ) {}

  /** Opens the file with this inode, whatever its name is by now; undefined when it has been deleted. */
  static async open(logPath: string, inode: number, range: ReadRange): Promise<LineReader | undefined> {
    for (;;) {
      const found = logFiles(logPath).find((file) => file.inode === inode);
      if (found === undefined) return undefined;
      const file = await open(found.path, "r").catch(() => undefined);
      if (file === undefined) continue; // renamed between the two
      const { ino, size } = await file.stat();
      if (ino === inode) return new LineReader(file, range.offset, range.growing ? Infinity : size, inode);
      await file.close();
    }
  }

  /** The next whole lines without their newlines; undefined at the end that the file has, or had when it was opened. */
  async next(): Promise<string[] | undefined> {
    for (;;) {
      const wanted = Math.min(chunkBytes, this.end - this.offset);
      if (wanted <= 0) return undefined;
      const { bytesRead } = await this.file.read(this.#chunk, 0, wanted, this.offset);
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
