import { type ErrorKind, messageOf, PlatformError } from "../../errors/platform-error.ts";
import { jsonReply, type Reply } from "./reply.ts";

/** The error codes of the distribution-spec ("Error Codes") and of Docker's registry, with their status. */
const statusOf = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  PRECONDITION_FAILED: 412,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const satisfies Record<string, number>;

export type RegistryCode = keyof typeof statusOf;

const kindOf: Record<number, ErrorKind> = {
  400: "InvalidParameter",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "NotImplemented",
  412: "Conflict",
  416: "InvalidParameter",
  429: "Unavailable",
  500: "System",
  503: "Unavailable",
};

const prefix = "registry.";

/** An error that the client gets to see as `code`. */
export function refusal(code: RegistryCode, message: string, cause?: unknown): PlatformError {
  const kind = kindOf[statusOf[code]] ?? "System";
  return new PlatformError(kind, message, {
    code: prefix + code,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The code of a thrown error; UNKNOWN for everything that `refusal` did not make, but for a full disk. */
export function registryCode(error: unknown): RegistryCode {
  const code = error instanceof PlatformError ? (error.code ?? "").replace(prefix, "") : "";
  if (code === "errno.ENOSPC" || code === "errno.EDQUOT") return "UNAVAILABLE";
  return isRegistryCode(code) ? code : "UNKNOWN";
}

function isRegistryCode(text: string): text is RegistryCode {
  return Object.hasOwn(statusOf, text);
}

/**
 * The wire form of an error: `{"errors":[{"code","message","detail"}]}`. What went wrong inside stays inside: the
 * client reads of a failure only. `status` is for the few answers whose status differs from the code's.
 */
export function errorReply(error: unknown, headers: Reply["headers"] = {}, status?: number): Reply {
  const code = registryCode(error);
  const message = code === "UNKNOWN" ? "the registry failed to answer this request" : messageOf(error);
  return jsonReply(status ?? statusOf[code], { errors: [{ code, message, detail: null }] }, headers);
}
