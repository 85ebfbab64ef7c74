import type { CommandContext } from "../context.ts";
import { printBody } from "../print-body.ts";
import type { ContainerFlags } from "./container-flags.ts";
import { createBody } from "./create-body.ts";

/** `run --dry-run`: has the engine plan the container, and prints the plan. Nothing is made, nothing pulled. */
export async function explainPlanned(
  context: CommandContext,
  flags: ContainerFlags,
  [image = "", ...command]: readonly string[],
): Promise<number> {
  const consoleSize = flags.tty ? context.terminal.size() : undefined;
  const response = await context.engine.open("POST", "/gantry/v1/plan", {
    query: { name: flags.name, format: "text" },
    json: createBody({
      flags,
      image,
      command,
      detached: false,
      env: context.env,
      files: context.files,
      consoleSize,
    }),
  });
  await printBody(context, response.body);
  return 0;
}
