/** A command failed; the outermost caller prints it and exits. */
export interface CommandErrorOptions {
  /** Default: the command's own failure code. */
  readonly exitCode?: number | undefined;
  readonly hint?: string | undefined;
  /** Ends with `Run 'gantry X --help' for more information`. */
  readonly usageHint?: boolean | undefined;
  readonly cause?: unknown;
}

export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number | undefined;
  readonly hint: string | undefined;
  readonly usageHint: boolean;

  constructor(message: string, options: CommandErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.hint = options.hint;
    this.usageHint = options.usageHint ?? false;
  }
}
