import type { CommandContext } from "../context.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { createBody } from "./create-body.ts";

export const explainFormats = ["text", "shell", "json"] as const;

/** `run --dry-run`: has the engine plan the container, and prints the plan. Nothing is made, nothing pulled. */
export async function explainPlanned(
  context: CommandContext,
  flags: ContainerFlags,
  [image = "", ...command]: readonly string[],
): Promise<number> {
  const consoleSize = flags.tty ? context.terminal.size() : undefined;
  const response = await context.engine.open("POST", "/containers/explain", {
    query: { name: flags.name, platform: flags.platform, format: "text" },
    json: createBody({ flags, image, command, detached: false, env: context.env, consoleSize }),
  });
  return printExplanation(context, response.body);
}

export async function printExplanation(
  context: CommandContext,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  for await (const chunk of body) context.stdout.write(chunk);
  return 0;
}
