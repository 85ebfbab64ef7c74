import { PlatformError } from "./platform-error.ts";

/** A PlatformError as it travels between threads. */
export interface ErrorMessage {
  readonly kind: PlatformError["kind"];
  readonly message: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof PlatformError) {
    const { kind, message, hint, code } = error;
    return { kind, message, hint, code };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "System", message, hint: undefined, code: undefined };
}

export function fromErrorMessage({ kind, message, hint, code }: ErrorMessage): PlatformError {
  return new PlatformError(kind, message, { hint, code });
}
