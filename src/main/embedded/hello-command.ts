import { readFileSync } from "node:fs";
import { runCli } from "../../cli/cli.ts";
import type { World } from "../../cli/process-context.ts";
import { commandLineWorld } from "../command-line.ts";
import { embeddedFiles } from "./embedded-files.ts";

/**
 * `gantry hello`: loads the image `hello` that is inside the executable, and runs it. It stands here and not among
 * the commands of cli/, because only main/ knows what the executable carries.
 *
 * In:  `argv` behind the word `hello`; there are no options.
 * Out: the exit code: that of the first command that failed, or of the container.
 */
export async function runHello(argv: readonly string[]): Promise<number> {
  if (argv.length > 0) {
    console.error('"gantry hello" accepts no arguments: it loads the embedded image and runs it');
    return 125;
  }
  const loaded = await runCli(["load"], worldWithInput(embeddedFiles.helloImage));
  return loaded === 0 ? runCli(["run", "--rm", "hello"], commandLineWorld()) : loaded;
}

/** This process with an embedded file as its standard input: such a file can be read, but not opened. */
function worldWithInput(path: string): World {
  const world = commandLineWorld();
  return {
    ...world,
    stdin: async function* () {
      yield readFileSync(path);
    },
    terminal: {
      ...world.terminal,
      isTerminal: (stream) => stream !== "stdin" && world.terminal.isTerminal(stream),
    },
  };
}
