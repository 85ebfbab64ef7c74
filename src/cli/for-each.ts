import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { EngineError } from "./engine-client.ts";

/**
 * Does the same to several objects at a time, then prints in the order given: what each action gave to standard
 * output, each failure to standard error. Out: 1 when any failed.
 */
export async function forEachObject(
  context: CommandContext,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const settled = await Promise.allSettled(names.map(action));
  let failed = false;
  for (const result of settled) {
    if (result.status === "fulfilled") {
      if (result.value !== undefined) context.stdout.write(`${result.value}\n`);
    } else {
      failed = true;
      printFailure(context, result.reason);
    }
  }
  return failed ? 1 : 0;
}

function printFailure(context: CommandContext, error: unknown): void {
  if (!(error instanceof EngineError) && !(error instanceof CommandError)) throw error;
  context.stderr.write(`gantry: ${error.message}\n`);
  if (error.hint !== undefined) context.stderr.write(`hint: ${error.hint}\n`);
}
