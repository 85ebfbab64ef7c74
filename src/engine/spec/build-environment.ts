import { defaultPath } from "../../runtime/defaults.ts";
import type { ContainerConfig } from "./docker-config.ts";
import { variableName } from "./merge-image-config.ts";

/**
 * The environment of a container's process: Docker's defaults, then the configured variables, which replace a default in its
 * place; a name without `=` takes the default away. HOME comes last and only if nobody set it.
 */
export function buildEnvironment(
  config: ContainerConfig,
  hostname: string,
  home: string,
  more: readonly string[] = [],
): string[] {
  const variables = new Map([
    ["PATH", `PATH=${defaultPath}`],
    ["HOSTNAME", `HOSTNAME=${hostname}`],
  ]);
  if (config.Tty === true) variables.set("TERM", "TERM=xterm");
  for (const entry of [...(config.Env ?? []), ...more]) {
    if (entry.includes("=")) variables.set(variableName(entry), entry);
    else variables.delete(entry);
  }
  if (!variables.has("HOME")) variables.set("HOME", `HOME=${home}`);
  return [...variables.values()];
}
