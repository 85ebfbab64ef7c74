import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { EngineError, pathOf } from "../engine-client.ts";
import type { AttachedStreams } from "./create-body.ts";
import { beginWait, startFailureCode } from "./exit-status.ts";
import { followTerminalSize, forwardSignals } from "./forward-signals.ts";
import { runSession } from "./stream-session.ts";

export interface RunAttachedOptions {
  readonly containerId: string;
  readonly streams: AttachedStreams;
  readonly tty: boolean;
  readonly autoRemove: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: string | undefined;
}

/**
 * Attaches to a created or stopped container, starts it, and stays until it has ended and its output is written.
 * Attach and wait are noted by the engine before the start, so that not even a very short life is missed.
 * Out: its exit code, 0 when the user detached.
 */
export async function runAttached(context: CommandContext, options: RunAttachedOptions): Promise<number> {
  const { containerId, streams, tty } = options;
  const path = `/containers/${pathOf(containerId)}`;
  using _signals = options.sigProxy ? forwardSignals(context, containerId) : undefined;
  const [attachment, exitCode] = await Promise.all([
    context.engine.hijack(`${path}/attach`, {
      query: { stream: true, ...streams, detachKeys: options.detachKeys },
    }),
    beginWait(context, containerId, options.autoRemove ? "removed" : "next-exit"),
  ]);
  const session = runSession(context, attachment, {
    stdin: streams.stdin,
    tty,
    detachKeys: options.detachKeys,
  });
  session.catch(() => {}); // awaited below; a failing start comes first
  await startContainer(context, containerId).catch((error: unknown) => {
    attachment.stream.destroy();
    throw error;
  });
  using _size = tty && streams.stdout ? followTerminalSize(context, `${path}/resize`) : undefined;
  const end = await session;
  if (end === "detached") return 0;
  return await exitCode();
}

/** Errors: CommandError with the exit code that the failure stands for. */
export async function startContainer(context: CommandContext, containerId: string): Promise<void> {
  try {
    await context.engine.send("POST", `/containers/${pathOf(containerId)}/start`);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new CommandError(error.message, {
      exitCode: startFailureCode(error.message),
      hint: error.hint,
      usageHint: true,
      cause: error,
    });
  }
}
