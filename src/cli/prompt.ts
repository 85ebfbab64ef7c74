import { CommandError } from "./command-error.ts";
import type { CommandContext } from "./context.ts";
import { LineReader } from "./line-reader.ts";

/** As a shell reports a program that SIGINT ended. */
const interruptedExitCode = 130;

/** Asks whoever sits at the terminal. */
export class Prompt {
  private readonly lines: LineReader;

  /** Errors: CommandError in Docker's words when nobody can be asked. */
  constructor(private readonly context: Pick<CommandContext, "stdin" | "stdout" | "terminal" | "signals">) {
    if (!context.terminal.isTerminal("stdin")) {
      throw new CommandError("Error: Cannot perform an interactive login from a non TTY device", {
        hint: "give --username and --password-stdin",
      });
    }
    this.lines = new LineReader(context.stdin());
  }

  /** The answer without white space around it. */
  async ask(question: string): Promise<string> {
    this.context.stdout.write(question);
    return (await this.lines.next()).trim();
  }

  /**
   * The answer is not shown. Errors: CommandError after Ctrl-C, which then does not leave a terminal that shows nothing.
   */
  async askHidden(question: string): Promise<string> {
    const { stdout, terminal, signals } = this.context;
    const interrupted = Promise.withResolvers<never>();
    const ignore = signals.on("SIGINT", () =>
      interrupted.reject(new CommandError("", { exitCode: interruptedExitCode })),
    );
    const show = terminal.hideTyping();
    try {
      return await Promise.race([this.ask(question), interrupted.promise]);
    } finally {
      show();
      ignore();
      stdout.write("\n");
    }
  }
}
