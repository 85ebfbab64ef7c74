import { type ErrorKind, messageOf, PlatformError } from "../../errors/platform-error.ts";

/** Docker Engine API, "Errors": engine-api, section 2, "Error class to status". */
const httpStatus = {
  InvalidParameter: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  Unavailable: 503,
  NotImplemented: 501,
  Cancelled: 500, // nobody reads it: the caller went away
  System: 500,
} as const satisfies Record<ErrorKind, number>;

export interface ErrorReply {
  readonly status: number;
  /** `hint` and `code` are gantry's own: Docker clients read `message` alone. */
  readonly body: { readonly message: string; readonly hint?: string; readonly code?: string };
}

/** The wire form of anything that was thrown. */
export function errorReply(error: unknown): ErrorReply {
  if (!(error instanceof PlatformError)) return { status: 500, body: { message: messageOf(error) } };
  return {
    status: httpStatus[error.kind],
    body: {
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.code === undefined ? {} : { code: error.code }),
    },
  };
}
