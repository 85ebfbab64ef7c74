/**
 * The one error type of gantry. Its kind is closed; each wire form (HTTP status, registry code, exit
 * code) is one table beside the code that speaks that wire.
 */
export type ErrorKind =
  | "InvalidParameter" // the request itself is wrong
  | "Unauthorized" // no or bad credentials
  | "Forbidden" // known, but not allowed
  | "NotFound"
  | "Conflict" // a name in use, a wrong state
  | "Unavailable" // a peer (registry, engine) does not answer; trying again may help
  | "NotImplemented" // gantry or this kernel cannot do it
  | "Cancelled" // the caller went away or aborted
  | "System"; // the kernel or the disk refused

export interface PlatformErrorOptions {
  /** What the user can do next; the command line prints it after the message. */
  readonly hint?: string | undefined;
  /** A stable, dotted name of the reason, for programs: `exec.interpreter-missing`. */
  readonly code?: string | undefined;
  readonly cause?: unknown;
}

export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly hint: string | undefined;
  readonly code: string | undefined;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: PlatformErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.code = options.code;
  }
}

/** Shorthands for the common kinds; the message names the object and has no full stop. */
export const invalidParameter = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("InvalidParameter", message, options);
export const notFound = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("NotFound", message, options);
export const conflict = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("Conflict", message, options);
export const notImplemented = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("NotImplemented", message, options);
export const unavailable = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("Unavailable", message, options);
export const systemError = (message: string, options?: PlatformErrorOptions) =>
  new PlatformError("System", message, options);

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
