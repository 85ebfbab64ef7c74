/** The command line of the OCI runtime: runc's. */

import { writeSync } from "node:fs";
import { join } from "node:path";
import { invalidParameter, messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { ProcessLauncher } from "../../runtime/lifecycle/launcher.ts";
import { FlagError, parseFlags } from "../flags.ts";
import { findRuntimeCommand } from "./commands.ts";
import { globalFlags } from "./global-flags.ts";
import type { RuntimeCommand, RuntimeContext } from "./runtime-command.ts";
import { parseLogFormat, RuntimeLog } from "./runtime-log.ts";

/** What the command line gets from the program around it. */
export interface RuntimeProgram {
  readonly name: string;
  readonly version: string;
  readonly env: RuntimeContext["env"];
  launcher(): Promise<ProcessLauncher>;
  readonly deleteNatively?: RuntimeContext["deleteNatively"];
}

/** `argv` behind the program's name. Out: the exit code. Never rejects. */
export async function runRuntimeCli(argv: readonly string[], program: RuntimeProgram): Promise<number> {
  let log = new RuntimeLog(undefined, "text", false);
  try {
    const { values, args, help } = parseFlags(globalFlags, argv, { interspersed: false });
    log = new RuntimeLog(values.log, parseLogFormat(values["log-format"]), values.debug);
    log.open();
    if (values.version) return await printVersion(program);
    const [name = "help", ...rest] = args;
    if (help || name === "help") return await printHelp(program, rest[0]);
    const load = findRuntimeCommand(name);
    if (load === undefined)
      throw invalidParameter(`unknown command ${JSON.stringify(name)}`, usageOf(program));
    const rootless = parseRootless(values.rootless);
    const context: RuntimeContext = {
      program: program.name,
      version: program.version,
      root: values.root ?? (await defaultRoot(rootless, program.env)),
      rootless,
      systemdCgroup: values["systemd-cgroup"],
      criu: values.criu,
      log,
      env: program.env,
      print: (output) => writeAll(1, output),
      launcher: () => program.launcher(),
      deleteNatively: program.deleteNatively,
      host: async () => (await import("../../kernel/host-facts.ts")).detectHostLazily(),
    };
    const { command } = await load();
    return await runCommand(context, name, command, rest);
  } catch (error) {
    return report(log, error, undefined, 1);
  }
}

async function runCommand(
  context: RuntimeContext,
  name: string,
  command: RuntimeCommand,
  argv: readonly string[],
): Promise<number> {
  try {
    const { values, given, args, help } = parseFlags(command.flags, argv, {
      interspersed: command.interspersed ?? true,
    });
    if (help) {
      const { commandHelp } = await import("./help.ts");
      context.print(commandHelp(context.program, name, command));
      return 0;
    }
    checkArguments(context.program, name, command, args.length);
    return await command.execute(context, { flags: values, given, args });
  } catch (error) {
    const usage = error instanceof FlagError;
    const failure = command.failure?.replace("%", context.program);
    return report(context.log, error, usage ? undefined : failure, usage ? 1 : (command.failureCode ?? 1));
  }
}

function checkArguments(program: string, name: string, { args, usage }: RuntimeCommand, count: number): void {
  const { min, max = Number.POSITIVE_INFINITY } = args;
  if (count >= min && count <= max) return;
  const wanted = min === max ? `exactly ${min}` : count < min ? `a minimum of ${min}` : `a maximum of ${max}`;
  const plural = (count < min ? min : max) === 1 ? "argument" : "arguments";
  throw new FlagError(`${program}: ${JSON.stringify(name)} requires ${wanted} ${plural}: ${name} ${usage}`);
}

function parseRootless(word: string): boolean | undefined {
  if (!["true", "false", "auto"].includes(word))
    throw invalidParameter(`invalid value ${JSON.stringify(word)} for --rootless: true, false or auto`);
  return word === "auto" ? undefined : word === "true";
}

/** `/run` is not for root of a user namespace either, which podman's unprivileged users are: its owner is somebody else. */
async function defaultRoot(rootless: boolean | undefined, env: RuntimeContext["env"]): Promise<string> {
  const { XDG_RUNTIME_DIR: runtimeDirectory = "", USER: user } = env;
  if (runtimeDirectory === "") return "/run/gantry-runtime";
  const isOwn = rootless ?? (process.geteuid?.() !== 0 || (user !== "root" && (await isInUserNamespace())));
  return isOwn ? join(runtimeDirectory, "gantry-runtime") : "/run/gantry-runtime";
}

async function isInUserNamespace(): Promise<boolean> {
  const { detectHostLazily } = await import("../../kernel/host-facts.ts");
  return detectHostLazily().inUserNamespace;
}

/** Out: the exit code. */
function report(log: RuntimeLog, error: unknown, failure: string | undefined, code: number): number {
  const message = failure === undefined ? messageOf(error) : `${failure}: ${messageOf(error)}`;
  log.error(message);
  if (error instanceof PlatformError && error.hint !== undefined) writeAll(2, `hint: ${error.hint}\n`);
  return code;
}

async function printVersion({ name, version }: RuntimeProgram): Promise<number> {
  const { ociVersion } = await import("../../runtime/defaults.ts");
  writeAll(1, `${name} version ${version}\nspec: ${ociVersion}\nbun: ${Bun.version}\n`);
  return 0;
}

async function printHelp(program: RuntimeProgram, name: string | undefined): Promise<number> {
  const { commandHelp, mainHelp } = await import("./help.ts");
  const load = name === undefined ? undefined : findRuntimeCommand(name);
  if (name === undefined || load === undefined) writeAll(1, await mainHelp(program.name));
  else writeAll(1, commandHelp(program.name, name, (await load()).command));
  return 0;
}

const usageOf = ({ name }: RuntimeProgram) => ({ hint: `\`${name} --help\` lists the commands` });

/** Plain write(2): touching `process.stdout` costs milliseconds. */
function writeAll(fd: number, output: string): void {
  for (let rest = Buffer.from(output); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
}
