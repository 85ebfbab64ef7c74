import "./environment/globals.ts";
import manifest from "../../package.json" with { type: "json" };
import { parseFlags } from "../cli/flags.ts";
import { findRuntimeCommand } from "../cli/runtime/commands.ts";
import { globalFlags } from "../cli/runtime/global-flags.ts";
import { runRuntimeCli } from "../cli/runtime/runtime-cli.ts";
import "../kernel/host-facts.ts"; // otherwise loaded at its first use, and not before the snapshot
import { syscallAbi } from "../runtime/seccomp/architectures.ts";
import { HelperLauncher } from "../shim/helper-launcher.ts";
import { host } from "./host.ts";

declare global {
  /** The static helper's bytes: in the snapshot. */
  var gantryHelper: Uint8Array;
  /** Called by the front. Out: the exit code; -1 when nothing was done, and the full program has to. */
  var gantryMain: () => Promise<number>;
}

/** What filters for this machine name. Their tables would be read by each process that has one to make. */
const abis: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ["X86_64", "X86", "X32"],
  arm64: ["AARCH64", "ARM"],
};
for (const name of abis[process.arch] ?? []) syscallAbi(`SCMP_ARCH_${name}`)?.table();

globalThis.gantryMain = async () => {
  const words = Array.from({ length: host().argumentCount() }, (_, index) => host().argument(index));
  if (!isOurs(words)) return -1;
  readEnvironment();
  return runRuntimeCli(words, {
    name: "gantry-runtime",
    version: manifest.version,
    env: process.env,
    deleteNatively: (root, id) => host().deleteNatively(root, id) === 1,
    launcher: async () => new HelperLauncher(() => globalThis.gantryHelper),
  });
};

function isOurs(words: readonly string[]): boolean {
  try {
    const { values, args, help } = parseFlags(globalFlags, words, { interspersed: false });
    if (help || values.version) return false;
    return (
      findRuntimeCommand(args[0] ?? "") !== undefined && !args.includes("--help") && !args.includes("-h")
    );
  } catch {
    return false; // the full program says what is wrong
  }
}

function readEnvironment(): void {
  for (let index = 0; ; index++) {
    const entry = host().environment(index);
    if (entry === undefined) return;
    const end = entry.indexOf("=");
    if (end > 0) process.env[entry.slice(0, end)] = entry.slice(end + 1);
  }
}
