import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import { createMemfd } from "../../kernel/memfd.ts";
import { causeInCriuLog } from "./criu-log.ts";
import type { CriuResponse } from "./criu-messages.ts";

export interface DirectoryChoice {
  /** Where the images are. */
  readonly imagePath: string;
  /** Where criu works and writes its log; the images' directory without one. */
  readonly workPath: string | undefined;
}

/** The open directories of one request to criu, and what it says before it opens its log. */
export class CriuDirectories implements Disposable {
  private constructor(
    readonly images: string,
    readonly imagesFd: number,
    readonly workFd: number,
    readonly output: number,
    private readonly log: string,
  ) {}

  /** Makes them for `checkpoint`; `restore` wants the images to be there. Errors: System naming the directory. */
  static open(choice: DirectoryChoice, operation: "dump" | "restore"): CriuDirectories {
    const images = resolve(choice.imagePath);
    const work = resolve(choice.workPath ?? choice.imagePath);
    const log = join(work, `${operation}.log`);
    const imagesFd = openDirectory(images, operation === "dump");
    try {
      const workFd = openDirectory(work, true);
      rmSync(log, { force: true }); // an earlier one would be taken for that of this request
      return new CriuDirectories(images, imagesFd, workFd, createMemfd("criu-output"), log);
    } catch (error) {
      closeSync(imagesFd);
      throw error;
    }
  }

  /** The error of a request that failed; undefined for one that did not. */
  failureOf(operation: string, response: CriuResponse | undefined): Error | undefined {
    if (response?.success === true) return undefined;
    const said = readFileSync(`/proc/self/fd/${this.output}`, "utf8");
    const cause = causeInCriuLog(readLog(this.log) + said) || response?.message || "it names no reason";
    const errno = response === undefined || response.errno === 0 ? "" : ` (errno ${response.errno})`;
    return systemError(`criu failed: ${operation}${errno}: ${cause}, log file: ${this.log}`, {
      code: "criu.failed",
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.imagesFd);
    closeSync(this.workFd);
    closeSync(this.output);
  }
}

function openDirectory(path: string, make: boolean): number {
  try {
    if (make) mkdirSync(path, { recursive: true, mode: 0o700 });
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw systemError(`open ${path}: ${messageOf(cause)}`, { cause });
  }
}

const readLog = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
