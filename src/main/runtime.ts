import { readFileSync } from "node:fs";
import manifest from "../../package.json" with { type: "json" };
import { runRuntimeCli } from "../cli/runtime/runtime-cli.ts";
import { endProcess } from "../kernel/end-process.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";

/** `gantry runtime` (also `gantry-runtime`): the OCI runtime. `argv` behind its name; out: the exit code. */
export async function runRuntime(argv: readonly string[]): Promise<number> {
  const exitCode = await runRuntimeCli(argv, {
    name: "gantry-runtime",
    version: manifest.version,
    env: process.env,
    launcher: async () => {
      const { HelperLauncher } = await import("../shim/helper-launcher.ts");
      return new HelperLauncher(() => readFileSync(embeddedFiles.helper));
    },
  });
  endProcess(exitCode); // every command writes with plain write(2)
  return exitCode;
}
