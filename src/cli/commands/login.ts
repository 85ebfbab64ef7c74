import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import { registryKey, storeCredentials } from "../stored-credentials.ts";

export const command = () =>
  defineCommand({
    usage: "[OPTIONS] [SERVER]",
    flags: {
      username: text("User name", { short: "u" }),
      password: text("Password; others on this machine can see it, so rather use --password-stdin", {
        short: "p",
      }),
      "password-stdin": bool("Read the password from standard input"),
    },
    args: { min: 0, max: 1 },

    async execute(context, { flags, args: [server] }) {
      const { username } = flags;
      if (flags.password !== undefined && flags["password-stdin"]) {
        throw new CommandError("--password and --password-stdin are mutually exclusive");
      }
      const password = flags["password-stdin"] ? await readPassword(context) : flags.password;
      if (!username || !password) {
        throw new CommandError("asking for a user name and a password is not built into gantry yet", {
          hint: "give --username and --password-stdin",
        });
      }
      const serveraddress = registryKey(server);
      const { Status } = await context.engine.json<{ Status: string }>("POST", "/auth", {
        json: { username, password, serveraddress },
      });
      storeCredentials(context.env, serveraddress, username, password);
      context.stdout.write(`${Status}\n`);
      return 0;
    },
  });

/** Without the line end that `echo` puts behind it. */
async function readPassword(context: CommandContext): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of context.stdin()) parts.push(part);
  return Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, "");
}
