import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";
import { parseOciSpec } from "../../formats/parse-oci-runtime.ts";

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

/** The other direction of `parseJsonExactly`: integers beyond 2^53 are bigints. */
function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (_key, element: unknown) =>
    typeof element === "bigint" ? rawJson(element.toString()) : element,
  );
}

/** JSON.rawJSON, which TypeScript's library does not declare yet. */
const rawJson = (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON;
