import { closeSync, openSync, writeSync } from "node:fs";
import { invalidParameter, messageOf, systemError } from "../../errors/platform-error.ts";

type Level = "debug" | "info" | "warning" | "error";
export type LogFormat = "text" | "json";

/**
 * The log of the OCI runtime, in the form that callers of runc read: `--log FILE` gets one line for each message, as JSON or as
 * text. Standard error, which often is the container's own, gets what has no file to go to; and the bare message of an error always.
 */
export class RuntimeLog {
  constructor(
    private readonly file: string | undefined,
    private readonly format: LogFormat,
    private readonly showDebug: boolean,
    private readonly writeError: (line: string) => void = (line) => writeSync(2, line),
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Makes sure that the file can be written, before anything is done. Errors: System naming the file. */
  open(): void {
    if (this.file !== undefined && this.file !== "") closeSync(this.openFile(this.file));
  }

  debug(message: string): void {
    if (this.showDebug) this.write("debug", message);
  }

  warn(message: string): void {
    this.write("warning", message);
  }

  error(message: string): void {
    this.write("error", message);
  }

  private write(level: Level, message: string): void {
    const time = `${this.now().toISOString().slice(0, 19)}Z`;
    const text = `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}\n`;
    const fd = this.tryOpenFile();
    if (fd === undefined) {
      this.writeError(text);
      return;
    }
    if (level === "error") this.writeError(`${message}\n`);
    try {
      writeSync(fd, this.format === "json" ? `${JSON.stringify({ level, msg: message, time })}\n` : text);
    } finally {
      closeSync(fd);
    }
  }

  /** Undefined without a file, and when it cannot be opened any more: what is to be said is on standard error, then. */
  private tryOpenFile(): number | undefined {
    try {
      return this.file ? this.openFile(this.file) : undefined;
    } catch {
      return undefined;
    }
  }

  private openFile(path: string): number {
    try {
      return openSync(path, "a", 0o644);
    } catch (cause) {
      throw systemError(`open log file: ${messageOf(cause)}`, { cause });
    }
  }
}

/** Errors: InvalidParameter. */
export function parseLogFormat(text: string): LogFormat {
  if (text === "text" || text === "json") return text;
  throw invalidParameter(`invalid log-format: ${text}`);
}
