import { basename } from "node:path";
import { setAddonPath } from "../kernel/addon.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";

/**
 * One program, four roles: `argv[0]` or the first word chooses. Each role is imported only when it is played, so that
 * a command pays for nothing but itself.
 */
setAddonPath(embeddedFiles.addon); // loaded at the first system call, if there is one
const words = process.argv.slice(2);
const role = basename(process.argv0) === "gantry-runtime" ? "runtime" : words[0];
process.exitCode = await play(role, words);

async function play(name: string | undefined, argv: readonly string[]): Promise<number> {
  switch (name) {
    case "engine":
      // Nothing that is still open may keep an engine alive that has decided to end.
      return process.exit(await (await import("./engine.ts")).runEngine(argv.slice(1)));
    case "runtime":
      return (await import("./runtime.ts")).runRuntime();
    case "hello":
      return (await import("./embedded/hello-command.ts")).runHello(argv.slice(1));
    default:
      return (await import("../cli/cli.ts")).runCli(argv);
  }
}
