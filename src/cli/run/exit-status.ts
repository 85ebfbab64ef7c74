/** Exit codes of containers and of failed starts, as scripts expect them from Docker. */
import { systemError } from "../../errors/platform-error.ts";
import { readAll } from "../../wire/http1-client.ts";
import type { CommandContext } from "../context.ts";
import { pathOf } from "../engine-client.ts";

export type WaitCondition = "not-running" | "next-exit" | "removed";

interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

/**
 * Begins to wait; settles when the engine has noted it, so that a start may follow.
 * Out: a function that gives the exit code.
 */
export async function beginWait(
  context: CommandContext,
  containerId: string,
  condition: WaitCondition,
): Promise<() => Promise<number>> {
  const response = await context.engine.open("POST", `/containers/${pathOf(containerId)}/wait`, {
    query: { condition },
  });
  const answer = readAll(response.body).then((bytes) => {
    const { StatusCode, Error: failure } = JSON.parse(Buffer.from(bytes).toString()) as WaitAnswer;
    if (failure?.Message) throw systemError(`error waiting for container: ${failure.Message}`);
    return StatusCode;
  });
  answer.catch(() => {}); // looked at when the output has ended
  return () => answer;
}

/** Docker's client reads the code of a failed start out of the message: 127 not found, 126 not executable. */
export function startFailureCode(message: string): 125 | 126 | 127 {
  if (/executable file not found|no such file or directory|interpreter .*missing/i.test(message)) return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return 125;
}
