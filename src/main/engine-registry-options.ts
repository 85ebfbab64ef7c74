import { join } from "node:path";
import { invalidParameter, PlatformError } from "../errors/platform-error.ts";
import { parseRegistryOptions, type RegistryOptions } from "./registry-options.ts";

/** Where an engine keeps the repositories of its registry. */
export const engineRegistryDirectory = (engineRoot: string): string => join(engineRoot, "registry");

/** What the engine decides itself. */
const fixed = ["root", "addr", "log-level", "help"];

/**
 * The options of the registry inside an engine: `address`, and each of `settings` as an option of
 * `gantry registry serve` (`htpasswd=/etc/users`, `read-only`). Undefined without an address.
 * Errors: InvalidParameter naming the option as `source` has it: a flag, or a key of the configuration file.
 */
export function parseEngineRegistry(
  engineRoot: string,
  address: string | undefined,
  settings: readonly string[],
  source: "flags" | "file" = "flags",
): RegistryOptions | undefined {
  if (address === undefined) {
    if (settings.length === 0) return undefined;
    throw invalidParameter("--registry-opt without --registry: no registry is served");
  }
  const refused = settings.find(
    (setting) => fixed.includes(setting.split("=")[0] ?? "") || setting.startsWith("-"),
  );
  if (refused !== undefined)
    throw invalidParameter(`--registry-opt ${refused}: not an option of the registry inside an engine`);
  const argv = [
    ...["--root", engineRegistryDirectory(engineRoot), "--addr", address],
    ...settings.map((setting) => `--${setting}`),
  ];
  try {
    return parseRegistryOptions(argv);
  } catch (error) {
    throw inEngineWords(error, source);
  }
}

/** Names options as the engine's user gave them. */
function inEngineWords(error: unknown, source: "flags" | "file"): unknown {
  if (!(error instanceof PlatformError)) return error;
  const rename = (text: string) =>
    text.replace(/--([a-z][\w-]*)/g, (option, name) => {
      if (name === "help") return option;
      if (source === "file") return `registry.${name}`;
      return name === "addr" ? "--registry" : `--registry-opt ${name}`;
    });
  const { kind, message, hint, code } = error;
  return new PlatformError(kind, rename(message), { hint: hint && rename(hint), code, cause: error });
}
