import { errorReply, refusal } from "../registry-error.ts";
import type { Handler } from "../route.ts";

/** For a method that a path does not have: names those that it has (RFC 9110, "405 Method Not Allowed"). */
export function refuseMethod(methods: readonly string[]): Handler {
  const allowed = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  return async ({ method }, { path }) =>
    errorReply(refusal("UNSUPPORTED", `${method} is not supported for ${path}`), { Allow: allowed });
}
