import { basename } from "node:path";
import { setAddonPath } from "../kernel/addon.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";

/**
 * One program, five roles: `argv[0]` or the first word chooses. Each role is imported only when it is played, so that
 * a command pays for nothing but itself.
 */
setAddonPath(embeddedFiles.addon); // loaded at the first system call, if there is one
const words = process.argv.slice(2);
const isRuntime = basename(process.argv0) === "gantry-runtime";
process.exitCode = await (isRuntime ? play("runtime", words) : play(words[0], words.slice(1)));

/** `rest`: what stands behind the role's name. */
async function play(role: string | undefined, rest: readonly string[]): Promise<number> {
  switch (role) {
    case "engine":
      // Nothing that is still open may keep an engine alive that has decided to end.
      return process.exit(await (await import("./engine.ts")).runEngine(rest));
    case "runtime":
      return (await import("./runtime.ts")).runRuntime(rest);
    case "registry":
      return process.exit(await (await import("./registry.ts")).runRegistry(rest));
    case "hello":
      return (await import("./embedded/hello-command.ts")).runHello(rest);
    default:
      return playCommandLine();
  }
}

async function playCommandLine(): Promise<number> {
  const [{ runCli }, { commandLineWorld }] = await Promise.all([
    import("../cli/cli.ts"),
    import("./command-line.ts"),
  ]);
  return runCli(words, commandLineWorld());
}
