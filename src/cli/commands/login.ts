import { defineCommand } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { EngineError } from "../engine-client.ts";
import { bool, text } from "../flag-kinds.ts";
import { Prompt } from "../prompt.ts";
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
      const given = await givenLogin(context, flags);
      const serveraddress = registryKey(server);
      const known = given.username || given.password ? undefined : findCredentials(context, serveraddress);
      if (known !== undefined) {
        context.stdout.write("Authenticating with existing credentials...\n");
        const status = await retryable(context, known);
        if (status !== undefined) {
          context.stdout.write(`${status}\n`);
          return 0;
        }
      }
      const login = await completeLogin(context, given, known?.username);
      const { Status, IdentityToken } = await authenticate(context, { ...login, serveraddress });
      storeCredentials(context.env, serveraddress, {
        ...login,
        ...(IdentityToken ? { identitytoken: IdentityToken } : {}),
      });
      context.stdout.write(`${Status}\n`);
      return 0;
    },
  });

interface Login {
  readonly username: string;
  readonly password: string;
}

/** What the command line and standard input say; empty where they do not. */
async function givenLogin(
  context: CommandContext,
  flags: { username: string | undefined; password: string | undefined; "password-stdin": boolean },
): Promise<Login> {
  const { username = "", password = "" } = flags;
  if (!flags["password-stdin"]) return { username, password };
  if (password !== "") throw new CommandError("--password and --password-stdin are mutually exclusive");
  if (username === "") throw new CommandError("Must provide --username with --password-stdin");
  return { username, password: await readPassword(context) };
}

/** Asks at the terminal for what is missing. Errors: CommandError in Docker's words. */
async function completeLogin(
  context: CommandContext,
  given: Login,
  knownUser: string | undefined,
): Promise<Login> {
  if (given.username && given.password) return given;
  const prompt = new Prompt(context);
  const question = knownUser ? `Username (${knownUser}): ` : "Username: ";
  const username = given.username || (await prompt.ask(question)) || knownUser;
  if (!username) throw new CommandError("Error: Non-null Username Required");
  const password = given.password || (await prompt.askHidden("Password: "));
  if (!password) throw new CommandError("Error: Password Required");
  return { username, password };
}

/** Undefined when stored credentials do not hold any more, and another user can be asked for. */
async function retryable(context: CommandContext, known: StoredCredentials): Promise<string | undefined> {
  try {
    return (await authenticate(context, known)).Status;
  } catch (error) {
    if (!(error instanceof EngineError) || !context.terminal.isTerminal("stdin")) throw error;
    context.stderr.write(`Login did not succeed, error: ${error.message}\n`);
    return undefined;
  }
}

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
