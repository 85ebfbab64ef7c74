import { PlatformError } from "./platform-error.ts";

/** A PlatformError as it travels between threads. */
export interface ErrorMessage {
  readonly kind: PlatformError["kind"];
  readonly message: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  /** Of an error that nobody foresaw: for the log, not for who reads the message. */
  readonly stack: string | undefined;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof PlatformError) {
    const { kind, message, hint, code } = error;
    return { kind, message, hint, code, stack: undefined };
  }
  const [message, stack] = error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
  return { kind: "System", message, hint: undefined, code: undefined, stack };
}

export function fromErrorMessage({ kind, message, hint, code, stack }: ErrorMessage): PlatformError {
  return new PlatformError(kind, message, {
    hint,
    code,
    cause: stack === undefined ? undefined : new Error(stack),
  });
}
