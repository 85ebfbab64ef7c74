import manifest from "../../package.json" with { type: "json" };
import { runRuntimeCli } from "../cli/runtime/runtime-cli.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";

/** `gantry runtime` (also `gantry-runtime`): the OCI runtime. `argv` behind its name; out: the exit code. */
export function runRuntime(argv: readonly string[]): Promise<number> {
  return runRuntimeCli(argv, {
    name: "gantry-runtime",
    version: manifest.version,
    env: process.env,
    launcher: async () => {
      const { HelperLauncher } = await import("../shim/helper-launcher.ts");
      return new HelperLauncher(embeddedFiles.helper);
    },
  });
}
