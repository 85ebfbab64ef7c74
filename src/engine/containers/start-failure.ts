import { messageOf, PlatformError, systemError } from "../../errors/platform-error.ts";

/** Why a process could not be started, as clients see it. */
export interface StartFailure {
  /** 127: no such program; 126: it cannot be executed; something else in the way is 128 for a container, 126 for an exec. */
  readonly exitCode: 126 | 127 | 128;
  readonly error: PlatformError;
}

/**
 * Docker's words around a program that cannot be executed. Its clients tell exit code 127 from 126 by what stands in
 * the message: `executable file not found`, `no such file or directory`, `permission denied`, `is a directory`.
 * engine-api, section 13. Any other failure is left as it is.
 */
export const startFailure = (error: unknown): StartFailure =>
  failure(
    error,
    "failed to create task for container: failed to create shim task: OCI runtime create failed: gantry-runtime create failed: unable to start container process",
    128,
  );

/** The same for an exec'd process. */
export const execFailure = (error: unknown): StartFailure =>
  failure(error, "OCI runtime exec failed: exec failed: unable to start container process", 126);

function failure(error: unknown, prefix: string, otherwise: 126 | 128): StartFailure {
  const known = error instanceof PlatformError ? error : systemError(messageOf(error), { cause: error });
  if (!known.code?.startsWith("exec.")) return { exitCode: otherwise, error: known };
  const { kind, code, hint, cause } = known;
  // The kernel says so of such a script, and clients look for it.
  const message =
    code === "exec.crlf"
      ? known.message.replace(/^exec: ".*?": /, "$&no such file or directory: ")
      : known.message;
  return {
    exitCode: /not found|no such file or directory/.test(message) ? 127 : 126,
    error: new PlatformError(kind, `${prefix}: ${message}`, { code, hint, cause }),
  };
}
