import { join } from "node:path";
import { invalidParameter } from "../errors/platform-error.ts";
import { parseRegistryOptions, type RegistryOptions } from "./registry-options.ts";

/** Where an engine keeps the repositories of its registry. */
export const engineRegistryDirectory = (engineRoot: string): string => join(engineRoot, "registry");

/** What the engine decides itself. */
const fixed = ["root", "addr", "log-level", "help"];

/**
 * The options of the registry inside an engine: `address`, and each of `settings` as an option of
 * `gantry registry serve` (`htpasswd=/etc/users`, `read-only`). Undefined without an address.
 * Errors: InvalidParameter naming the option.
 */
export function parseEngineRegistry(
  engineRoot: string,
  address: string | undefined,
  settings: readonly string[],
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
  return parseRegistryOptions([
    ...["--root", engineRegistryDirectory(engineRoot), "--addr", address],
    ...settings.map((setting) => `--${setting}`),
  ]);
}
