/**
 * A terminal or pipe connected to a hijacked stream of the engine: output is written as it comes, input is
 * passed on with half-close at its end, the detach keys let go of it.
 */

import type { RawStream } from "../../wire/http1-client.ts";
import type { ResponseHead } from "../../wire/http1-response.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { printBody, printFrames } from "../print-body.ts";
import { DetachScanner, defaultDetachKeys, parseDetachKeys } from "./detach-keys.ts";

export interface SessionOptions {
  readonly stdin: boolean;
  /** The process has a terminal; ours is put into raw mode if input goes there. */
  readonly tty: boolean;
  readonly detachKeys: string | undefined;
}

export type SessionEnd = "output-ended" | "detached";

/** Errors in `--detach-keys` are found before anything is started. */
export function checkDetachKeys(text: string | undefined): void {
  try {
    parseDetachKeys(text || defaultDetachKeys);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`invalid detach keys (${text}): ${message}`, { exitCode: 125 });
  }
}

/** Runs until the output has ended and is written, or the user detached. The terminal is restored in every case. */
export async function runSession(
  context: CommandContext,
  { head, stream }: { readonly head: ResponseHead; readonly stream: RawStream },
  options: SessionOptions,
): Promise<SessionEnd> {
  const rawTerminal = options.tty && options.stdin && context.terminal.isTerminal("stdin");
  const restore = rawTerminal ? context.terminal.raw() : undefined;
  try {
    const print = isFramed(head, options.tty) ? printFrames : printBody;
    const output = print(context, stream).then(() => "output-ended" as const);
    if (!options.stdin) return await output;
    // Input that merely ends is no end of the session: only detaching settles this one.
    const detached = new Promise<"detached">((resolve) => {
      copyInput(context, stream, options).then(
        (keys) => keys && resolve("detached"),
        () => {}, // the process no longer reads; its output decides
      );
    });
    return await Promise.race([output, detached]);
  } finally {
    restore?.();
  }
}

/** The answer says how output is framed; engines before API 1.42 leave it to the terminal setting. */
function isFramed(head: ResponseHead, tty: boolean): boolean {
  const type = head.headers.get("content-type");
  return type === undefined ? !tty : type.endsWith("multiplexed-stream");
}

/** Out: true when the user typed the detach keys. */
async function copyInput(
  context: CommandContext,
  stream: RawStream,
  options: SessionOptions,
): Promise<boolean> {
  const scanner = options.tty
    ? new DetachScanner(parseDetachKeys(options.detachKeys || defaultDetachKeys))
    : undefined;
  for await (const chunk of context.stdin()) {
    const { pass, detached } = scanner?.scan(chunk) ?? { pass: chunk, detached: false };
    await stream.write(pass);
    if (detached) return true;
  }
  stream.closeWrite();
  return false;
}

/** Input from a terminal cannot be given to a process that has none of its own, or the other way round. */
export function checkTerminal(context: CommandContext, interactive: boolean, tty: boolean): void {
  if (interactive && tty && !context.terminal.isTerminal("stdin")) {
    throw new CommandError("the input device is not a TTY", {
      exitCode: 1,
      hint: "leave out -t when input comes from a pipe or file",
    });
  }
}
