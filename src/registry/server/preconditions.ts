import { refusal } from "./registry-error.ts";
import type { RegistryRequest } from "./reply.ts";

type Conditional = Pick<RegistryRequest, "headers" | "method">;

/** For what has a digest: the answer that a cache may keep, when the client has it already. */
export function isUnchanged({ headers }: Conditional, etag: string): boolean {
  return isListed(headers["if-none-match"], etag, "weak");
}

/**
 * Holds a request to what its client last saw; `etag` is that of what is there now, undefined for nothing. So two
 * clients who change the same tag do not undo each other's work.
 * Errors: PRECONDITION_FAILED. Spec: RFC 9110, "Preconditions"; distribution-spec, "Pushing a manifest with a subject".
 */
export function checkPreconditions({ headers, method }: Conditional, etag: string | undefined): void {
  const wanted = headers["if-match"];
  if (wanted !== undefined && !isListed(wanted, etag, "strong"))
    throw refusal("PRECONDITION_FAILED", `If-Match ${wanted}: there is ${etag ?? "nothing"}`);
  const unwanted = headers["if-none-match"];
  const isRead = method === "GET" || method === "HEAD"; // which is answered with 304
  if (!isRead && isListed(unwanted, etag, "weak"))
    throw refusal("PRECONDITION_FAILED", `If-None-Match ${unwanted}: there is ${etag} already`);
}

function isListed(
  header: string | undefined,
  etag: string | undefined,
  comparison: "weak" | "strong",
): boolean {
  if (header === undefined || etag === undefined) return false;
  const tags = header.split(",").map((each) => each.trim());
  const comparable = comparison === "weak" ? tags.map((tag) => tag.replace(/^W\//, "")) : tags;
  return tags.includes("*") || comparable.includes(etag);
}
