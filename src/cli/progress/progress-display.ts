/**
 * Docker's progress display: on a terminal each layer has a line that is redrawn in place, in a pipe only changes
 * of status are printed.
 */
import type { ProgressDetail, ProgressMessage } from "../../wire/progress.ts";
import type { Output } from "../context.ts";
import { EngineError } from "../engine-client.ts";
import { humanSize } from "../format/human.ts";

export interface ProgressOutput {
  readonly stream: Output;
  readonly isTerminal: boolean;
  /** Columns; decides whether there is room for bars. */
  readonly columns?: number | undefined;
}

const clearLine = "\x1b[2K";
const up = (lines: number) => (lines > 0 ? `\x1b[${lines}A` : "");
const down = (lines: number) => (lines > 0 ? `\x1b[${lines}B` : "");

export class ProgressDisplay {
  /** Line numbers by id, of the block that is being redrawn. */
  private lines = new Map<string, number>();

  constructor(private readonly output: ProgressOutput) {}

  /** Errors: EngineError for a message that reports one; it ends the stream. */
  show(message: ProgressMessage): void {
    const failure = message.errorDetail?.message ?? message.error;
    if (failure !== undefined) throw new EngineError(500, failure, message.hint, undefined);
    if (message.aux !== undefined && message.status === undefined && message.stream === undefined) return;
    if (this.output.isTerminal) this.output.stream.write(this.drawn(message));
    else this.output.stream.write(plainLine(message));
  }

  private drawn(message: ProgressMessage): string {
    const { id, progressDetail } = message;
    if (id === undefined || progressDetail === undefined) {
      this.lines = new Map();
      return plainLine(message);
    }
    let text = "";
    let line = this.lines.get(id);
    if (line === undefined) {
      line = this.lines.size;
      this.lines.set(id, line);
      text = "\n";
    }
    const distance = this.lines.size - line;
    const bar = progressText(progressDetail, this.output.columns ?? 200);
    return `${text}${up(distance)}${clearLine}\r${id}: ${message.status ?? ""} ${bar}\r${down(distance)}`;
  }
}

/** Nothing for a message that only moves a bar. */
function plainLine({ id, status, stream, progressDetail }: ProgressMessage): string {
  if (stream !== undefined) return stream;
  if (progressDetail !== undefined && progressText(progressDetail, 200) !== "") return "";
  return `${id === undefined ? "" : `${id}: `}${status ?? ""}\n`;
}

const barWidth = 50;

/** `[=====>   ]  12.3MB/45MB`; empty when nothing is known yet. */
export function progressText(detail: ProgressDetail, columns: number): string {
  const { current = 0, total = 0, units } = detail;
  if (current <= 0 && total <= 0) return "";
  const amount = (value: number) =>
    units === undefined || units === "" ? humanSize(value) : `${value} ${units}`;
  if (total <= 0) return amount(current).padStart(8);
  const done = Math.min(barWidth, Math.trunc((current / total) * barWidth));
  const bar = columns > 110 ? `[${"=".repeat(done)}>${" ".repeat(barWidth - done)}] ` : "";
  if (detail.hidecounts) return bar;
  // A guessed total that turned out too small says nothing.
  const numbers =
    current > total ? amount(current).padStart(8) : `${amount(current).padStart(8)}/${amount(total)}`;
  return bar + numbers;
}
