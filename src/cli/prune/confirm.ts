import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { LineReader } from "../line-reader.ts";

/** Asks once. Errors: CommandError for any other answer than yes. */
export async function confirm(context: CommandContext, warning: string): Promise<void> {
  context.stdout.write(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = await new LineReader(context.stdin()).next();
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CommandError(`${context.commandName.replace(/^gantry /, "")} was not confirmed`, {
    hint: "answer y, or give --force",
  });
}
