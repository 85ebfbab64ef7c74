/** The command line: finds the command, parses its flags, runs it, turns errors into messages and exit codes. */
import { PlatformError } from "../errors/platform-error.ts";
import { OwnProcessNeeded } from "./client-files.ts";
import type { CommandDefinition } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { type CommandEntry, commandGroups, findCommand } from "./commands.ts";
import type { CommandContext } from "./context.ts";
import { engineAddress } from "./engine-address.ts";
import { EngineClient, EngineError } from "./engine-client.ts";
import { bool, text } from "./flag-kinds.ts";
import { FlagError, parseFlags } from "./flags.ts";
import type { World } from "./process-context.ts";

const globalFlags = {
  host: text("", { short: "H" }),
  version: bool("", { short: "v" }),
};

/** Errors in flags, wherever they stand; Docker's client exits with 125. */
const flagErrorCode = 125;

/** `argv` without the program's name. Out: the exit code. Rejects with nothing but OwnProcessNeeded. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  try {
    return await dispatch(argv, world);
  } catch (error) {
    if (error instanceof OwnProcessNeeded) throw error;
    return report(world, error, "gantry", {});
  } finally {
    world.close();
  }
}

async function dispatch(argv: readonly string[], world: World): Promise<number> {
  let globals: ReturnType<typeof parseFlags<typeof globalFlags>>;
  try {
    globals = parseFlags(globalFlags, argv, { interspersed: false });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return usageError(world, error.message, "Usage:  gantry [OPTIONS] COMMAND [ARG...]", "gantry");
  }
  const { values, args } = globals;
  if (values.version) return printVersion(world);
  if (globals.help || args.length === 0) return printMainHelp(world);
  const words = args[0] === "help" ? [...args.slice(1), "--help"] : args;
  const found = findCommand(words);
  if (found === undefined) return notACommand(world, words);
  world.admit(found.entry.name);
  const address = engineAddress(values.host, world.env.GANTRY_HOST);
  using engine = new EngineClient(world.engineAt(address.address), async (error) => {
    if (!address.isDefault) throw withStartHint(error);
    const { defaultEngineStart, startEngine } = await import("./ensure-engine.ts");
    await startEngine(defaultEngineStart());
  });
  const commandName = `gantry ${words.slice(0, found.used).join(" ")}`;
  // Awaited here, or the engine's connections would be dropped before the command has begun.
  const context = { ...world, commandName, engine, isDefaultEngine: address.isDefault };
  return await runCommand(context, found.entry, words.slice(found.used));
}

async function runCommand(
  context: CommandContext,
  entry: CommandEntry,
  argv: readonly string[],
): Promise<number> {
  const command = entry.define();
  const { commandName } = context;
  try {
    const parsed = parseFlags(command.flags, argv, { interspersed: command.interspersed ?? true });
    if (parsed.help) {
      const { commandHelp } = await import("./help.ts");
      context.stdout.write(commandHelp(commandName, entry, command));
      return 0;
    }
    checkArguments(commandName, command, parsed.args.length);
    return await command.execute(context, { flags: parsed.values, given: parsed.given, args: parsed.args });
  } catch (error) {
    if (error instanceof FlagError) {
      return usageError(context, error.message, `Usage:  ${commandName} ${command.usage}`, commandName);
    }
    if (error instanceof OwnProcessNeeded) throw error;
    return report(context, error, commandName, command);
  }
}

function checkArguments(commandName: string, command: CommandDefinition, count: number): void {
  const { min, max } = command.args;
  if (count >= min && (max === undefined || count <= max)) return;
  const plural = (n: number) => `${n} argument${n === 1 ? "" : "s"}`;
  const wanted =
    max === 0
      ? "accepts no arguments"
      : min === max
        ? `requires ${plural(min)}`
        : count < min
          ? `requires at least ${plural(min)}`
          : `requires at most ${plural(max ?? 0)}`;
  throw new CommandError(`'${commandName}' ${wanted}\n\nUsage:  ${commandName} ${command.usage}`, {
    exitCode: 1,
    usageHint: true,
  });
}

function usageError(
  world: Pick<World, "stderr">,
  message: string,
  usage: string,
  commandName: string,
): number {
  world.stderr.write(`${message}\n\n${usage}\n\nRun '${commandName} --help' for more information\n`);
  return flagErrorCode;
}

/** Prints any error the way this program prints errors. Out: the exit code. */
function report(
  world: Pick<World, "stderr">,
  error: unknown,
  commandName: string,
  { failureCode = 1, helpAfterFailure }: Pick<CommandDefinition, "failureCode" | "helpAfterFailure">,
): number {
  const message = error instanceof Error ? error.message : String(error);
  let text = message === "" ? "" : `gantry: ${message}\n`;
  const ofEngine = error instanceof EngineError || error instanceof PlatformError;
  const hint = ofEngine || error instanceof CommandError ? error.hint : undefined;
  if (hint !== undefined) for (const line of hint.split("\n")) text += `hint: ${line}\n`;
  if (error instanceof CommandError ? error.usageHint : ofEngine && helpAfterFailure) {
    text += `\nRun '${commandName} --help' for more information\n`;
  }
  world.stderr.write(text);
  return (error instanceof CommandError ? error.exitCode : undefined) ?? failureCode;
}

function withStartHint(error: PlatformError): PlatformError {
  return new PlatformError(error.kind, error.message, {
    hint: "is it running? without -H and GANTRY_HOST an engine is started on demand",
    cause: error,
  });
}

async function notACommand(world: World, words: readonly string[]): Promise<number> {
  const [first = "", second] = words;
  const isGroup = commandGroups.some(({ name }) => name === first);
  if (isGroup && (second === undefined || second === "--help")) {
    const { groupHelp } = await import("./help.ts");
    world.stdout.write(groupHelp(first));
    return 0;
  }
  const shown = isGroup ? `gantry ${first}` : "gantry";
  const usage = isGroup ? `\n\nUsage:  ${shown}` : "";
  throw new CommandError(
    `unknown command: ${shown} ${isGroup ? second : first}${usage}\n\nRun '${shown} --help' for more information`,
  );
}

async function printMainHelp(world: World): Promise<number> {
  const { mainHelp } = await import("./help.ts");
  world.stdout.write(mainHelp());
  return 0;
}

async function printVersion(world: World): Promise<number> {
  const { clientVersion } = await import("./client-version.ts");
  world.stdout.write(`gantry version ${clientVersion}\n`);
  return 0;
}
