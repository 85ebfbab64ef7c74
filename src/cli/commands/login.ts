import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { bool, text } from "../flag-kinds.ts";
import {
  findCredentials,
  registryKey,
  type StoredCredentials,
  storeCredentials,
} from "../stored-credentials.ts";

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
      const serveraddress = registryKey(server);
      const known = username || password ? undefined : findCredentials(context, serveraddress);
      if (known !== undefined) {
        context.stdout.write("Authenticating with existing credentials...\n");
        const { Status } = await authenticate(context, known);
        context.stdout.write(`${Status}\n`);
        return 0;
      }
      if (!username || !password) {
        throw new CommandError("asking for a user name and a password is not built into gantry yet", {
          hint: "give --username and --password-stdin",
        });
      }
      const { Status, IdentityToken } = await authenticate(context, { username, password, serveraddress });
      storeCredentials(context.env, serveraddress, {
        username,
        password,
        ...(IdentityToken ? { identitytoken: IdentityToken } : {}),
      });
      context.stdout.write(`${Status}\n`);
      return 0;
    },
  });

/** engine-api, section 7. */
interface AuthAnswer {
  readonly Status: string;
  /** What a token server gives for the password, to be kept in its place. */
  readonly IdentityToken?: string;
}

const authenticate = (context: CommandContext, credentials: StoredCredentials) =>
  context.engine.json<AuthAnswer>("POST", "/auth", { json: credentials });

/** Without the line end that `echo` puts behind it. */
async function readPassword(context: CommandContext): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of context.stdin()) parts.push(part);
  return Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, "");
}
