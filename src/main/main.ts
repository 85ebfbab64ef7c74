import { basename } from "node:path";

/**
 * One program, four roles: `argv[0]` or the first word chooses. Each role is imported only when it is played, so that
 * a command pays for nothing but itself.
 */
const words = process.argv.slice(2);
const role = basename(process.argv0) === "gantry-runtime" ? "runtime" : words[0];
process.exitCode = await play(role, words);

async function play(name: string | undefined, argv: readonly string[]): Promise<number> {
  switch (name) {
    case "engine":
      return (await import("./engine.ts")).runEngine(argv.slice(1));
    case "runtime":
      return (await import("./runtime.ts")).runRuntime();
    case "hello":
      return (await import("./embedded/hello-command.ts")).runHello(argv.slice(1));
    default:
      return (await import("../cli/cli.ts")).runCli(argv);
  }
}
