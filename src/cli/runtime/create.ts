import { createContainer } from "../../runtime/lifecycle/create-container.ts";
import { createFlags, createRequest } from "./create-flags.ts";
import { defineRuntimeCommand } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Make a container whose program waits for `start`",
  flags: createFlags,
  args: { min: 1, max: 1 },
  failure: "% create failed",

  async execute(context, { flags, args: [id = ""] }) {
    const request = { ...createRequest(context, id, flags), mode: "create", detached: true } as const;
    const { process } = await createContainer(request, {
      launcher: await context.launcher(),
      host: await context.host(),
      warn: (message) => context.log.warn(message),
    });
    process.exitCode();
    return 0;
  },
});
