import { defineCommand } from "../command.ts";
import { forgetCredentials, registryKey } from "../stored-credentials.ts";

export const command = () =>
  defineCommand({
    usage: "[SERVER]",
    flags: {},
    args: { min: 0, max: 1 },

    async execute(context, { args: [server] }) {
      const key = registryKey(server);
      const known = forgetCredentials(context.env, key);
      context.stdout.write(known ? `Removing login credentials for ${key}\n` : `Not logged in to ${key}\n`);
      return 0;
    },
  });
