import type { CommandContext } from "./context.ts";

/** Writes an answer to standard output as it comes. */
export async function printBody(context: CommandContext, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) context.stdout.write(chunk);
}
