import { readFileSync } from "node:fs";
import { takeProxyVariables } from "../registry/client/proxy-settings.ts";
import type { EngineSurroundings } from "./engine-options.ts";

/** This process's environment and files. */
export const engineSurroundings = (): EngineSurroundings => ({
  proxies: takeProxyVariables(process.env),
  readFile,
});

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
