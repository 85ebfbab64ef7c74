import { parseReference } from "../../formats/reference.ts";
import { CommandError } from "../command-error.ts";

const loopback = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/**
 * What `--insecure` asks for is so for registries on loopback, always; for others the engine decides, not a command.
 * Errors: CommandError that names the registry.
 */
export function checkInsecure(isInsecure: boolean, references: readonly string[]): void {
  if (!isInsecure) return;
  const other = references
    .map((name) => parseReference(name).domain)
    .find((domain) => !loopback.test(domain));
  if (other === undefined) return;
  throw new CommandError(`--insecure is for registries on loopback alone, and ${other} is none`, {
    hint: `leave it out, and start the engine with --insecure-registry ${other}`,
  });
}
