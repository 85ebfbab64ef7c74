import { defineCommand } from "../command.ts";
import { containerFlags } from "../run/container-flags.ts";
import { createContainer } from "../run/create-container.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    flags: containerFlags(),
    args: { min: 1 },
    interspersed: false,
    failureCode: 1,

    async execute(context, { flags, args }) {
      const { Id } = await createContainer(context, flags, args);
      context.stdout.write(`${Id}\n`);
      return 0;
    },
  });
