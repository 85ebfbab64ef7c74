import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";

/** Asks once. Errors: CommandError for any other answer than yes. */
export async function confirm(context: CommandContext, warning: string): Promise<void> {
  context.stdout.write(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = await firstLine(context.stdin());
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CommandError(`${context.commandName.replace(/^gantry /, "")} was not confirmed`, {
    hint: "answer y, or give --force",
  });
}

async function firstLine(input: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of input) {
    text += Buffer.from(part).toString();
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
