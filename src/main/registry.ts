import { mkdirSync, writeSync } from "node:fs";
import { invalidParameter, messageOf, PlatformError, systemError } from "../errors/platform-error.ts";
import { createLog } from "../log/log.ts";
import { openRegistry } from "../registry/server/registry.ts";
import { lockDirectory } from "./directory-lock.ts";
import { collectRegistry } from "./registry-gc.ts";
import { parseRegistryGcOptions, registryGcHelp } from "./registry-gc-options.ts";
import { parseRegistryOptions, type RegistryOptions, registryHelp } from "./registry-options.ts";
import { serveRegistry } from "./serve-registry.ts";

const stderr = 2;

const help = `Usage:  gantry registry COMMAND

Commands:
  serve   Serve images to every tool that pulls and pushes
  gc      Remove what no manifest needs, also while the registry serves

See \`gantry registry COMMAND --help\`.
`;

/** `gantry registry`; out: the exit code. */
export async function runRegistry(argv: readonly string[]): Promise<number> {
  try {
    const [verb, ...rest] = argv;
    if (verb === "serve") return await orHelp(parseRegistryOptions(rest), serve, registryHelp);
    if (verb === "gc") return await orHelp(parseRegistryGcOptions(rest), collectRegistry, registryGcHelp);
    if (verb !== "--help" && verb !== undefined) {
      throw invalidParameter(`unknown command: ${verb}`, { hint: "see `gantry registry --help`" });
    }
    process.stdout.write(help);
    return 0;
  } catch (error) {
    console.error(`gantry registry: ${messageOf(error)}`);
    if (error instanceof PlatformError && error.hint) console.error(`hint: ${error.hint}`);
    return 1;
  }
}

async function orHelp<T>(options: T | undefined, run: (options: T) => Promise<number>, text: string) {
  if (options !== undefined) return await run(options);
  process.stdout.write(text);
  return 0;
}

/** Runs until SIGTERM or SIGINT; SIGHUP lets it read its files again. */
async function serve(options: RegistryOptions): Promise<number> {
  const log = createLog(options.logLevel, (line) => writeSync(stderr, line));
  process.on("SIGHUP", () => undefined); // what comes early must not end it
  makeRoot(options.root);
  lockDirectory(options.root, "registry");
  const registry = await openRegistry(options.root);
  const stopped = stopSignal();
  const served = await serveRegistry(registry, options, log);
  process.on("SIGHUP", () => served.reload());
  log.info("registry.stopping", { signal: await stopped });
  served.close();
  return 0;
}

function makeRoot(root: string): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isNone = code === "EEXIST" || code === "ENOTDIR";
    throw systemError(`--root ${root}: ${isNone ? "it is not a directory" : messageOf(cause)}`, { cause });
  }
}

function stopSignal(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  return promise;
}
