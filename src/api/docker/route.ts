import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Reply } from "./reply.ts";

/** One request, with its path taken apart. */
export interface ApiRequest {
  readonly method: string;
  /** Without the version prefix. */
  readonly path: string;
  /** Minor number of the API version that the client speaks: 41 for v1.41. */
  readonly minor: number;
  /** Values of the `{…}` of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** Aborts when the client goes away before the reply is complete. */
  readonly signal: AbortSignal;
}

/** One method and path. A thrown error becomes the reply as long as none was begun. */
export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** `{name}` matches one or more segments: names of images have slashes in them. */
  readonly path: string;
  readonly handle: (request: ApiRequest, reply: Reply) => void | Promise<void>;
}
