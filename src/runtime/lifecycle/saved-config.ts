import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { parseOciSpec } from "../../formats/parse-oci-runtime.ts";
import { stringifyExactly } from "./exact-json.ts";

const configFile = (directory: string) => join(directory, "config.json");

/** Keeps the spec which the container was made from: later edits in the bundle do not affect it. */
export function saveConfig(directory: string, spec: OciSpec): void {
  writeFileSync(configFile(directory), stringifyExactly(spec), { mode: 0o600 });
}

/** Errors: System when it is gone or damaged. */
export function readSavedConfig(directory: string): OciSpec {
  let text: string;
  try {
    text = readFileSync(configFile(directory), "utf8");
  } catch (error) {
    throw systemError(`read ${configFile(directory)}: ${messageOf(error)}`, { cause: error });
  }
  return parseOciSpec(text, configFile(directory));
}
