import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { parseOciSpec } from "../../formats/parse-oci-runtime.ts";
import { fileError } from "../../kernel/cgroup-files.ts";
import { stringifyExactly } from "./exact-json.ts";

const configFile = (directory: string) => join(directory, "config.json");

/** Keeps the spec which the container was made from: later edits in the bundle do not affect it. */
export function saveConfig(directory: string, spec: OciSpec): void {
  try {
    writeFileSync(configFile(directory), stringifyExactly(spec), { mode: 0o600 });
  } catch (error) {
    throw fileError(error, `write ${configFile(directory)}`);
  }
}

/** Errors: System when it is gone or damaged. */
export function readSavedConfig(directory: string): OciSpec {
  let text: string;
  try {
    text = readFileSync(configFile(directory), "utf8");
  } catch (error) {
    throw fileError(error, `read ${configFile(directory)}`);
  }
  return parseOciSpec(text, configFile(directory));
}
