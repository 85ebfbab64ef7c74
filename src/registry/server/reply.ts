import type { IncomingHttpHeaders } from "node:http";
import type { RegistryDocument } from "../client/registry-documents.ts";
import type { Grant } from "./auth/access.ts";

export interface RegistryRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** What the client may do; the route's own needs are checked already. */
  readonly grant: Grant;
  readonly body: RequestBody;
}

/** Throws when the connection breaks before the body's end. */
export interface RequestBody extends AsyncIterable<Uint8Array> {
  /** Breaks the connection. */
  cut?(): void;
}

export interface Reply {
  readonly status: number;
  /** `Content-Length` is set by whoever sends, except for a stream or an answer to HEAD. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export function emptyReply(status: number, headers: Reply["headers"] = {}): Reply {
  const hasNoBody = status === 204 || status === 304; // RFC 9110, "Content-Length": 304 would promise the content's
  return { status, headers: hasNoBody ? headers : { ...headers, "Content-Length": "0" } };
}

export function jsonReply(status: number, value: unknown, headers: Reply["headers"] = {}): Reply {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { status, headers: { "Content-Type": "application/json", ...headers }, body };
}

/** What another registry answered, as it is; but the next page is to be had here. */
export function documentReply({ bytes, contentType, link, filters }: RegistryDocument): Reply {
  const headers = {
    "Content-Type": contentType,
    ...(link !== undefined && { Link: link.replace(/<https?:\/\/[^/>]+/i, "<") }),
    ...(filters !== undefined && { "OCI-Filters-Applied": filters }),
  };
  return { status: 200, headers, body: bytes };
}
