import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import { parseVersionedPath } from "./api-version.ts";
import { errorReply } from "./errors.ts";
import type { Reply } from "./reply.ts";
import type { Route } from "./route.ts";
import { Router } from "./router.ts";

export interface DockerApiOptions {
  /** Routes that answer at once, also while the engine still opens its stores. */
  readonly immediate: readonly Route[];
  /** All others; a request for them waits until the engine is ready. */
  readonly ready: Promise<readonly Route[]>;
  readonly log: Log;
}

/** A request before its route is known. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readable;
  readonly signal: () => AbortSignal;
}

/** Answers one request; never rejects. */
export type Answer = (incoming: Incoming, reply: Reply) => Promise<void>;

/** The Engine API, whichever way requests come in. */
export function createDockerApi(options: DockerApiOptions): Answer {
  const immediate = new Router(options.immediate);
  const ready = options.ready.then((routes) => new Router(routes));
  ready.catch(() => undefined); // whoever asks gets the reason; the engine's start reports it once

  return async (incoming, reply) => {
    try {
      const { minor, path } = parseVersionedPath(incoming.path);
      const { route, params } =
        immediate.find(incoming.method, path) ?? (await ready).match(incoming.method, path);
      const { method, query, headers, body } = incoming;
      await route.handle(
        {
          method,
          path,
          minor,
          params,
          query,
          headers,
          body,
          get signal() {
            return incoming.signal();
          },
        },
        reply,
      );
    } catch (error) {
      fail(error, incoming, reply, options.log);
    }
  };
}

/** Before the reply began its error form is the reply; after that the connection just ends. */
function fail(error: unknown, incoming: Incoming, reply: Reply, log: Log): void {
  const { status, body } = errorReply(error);
  const cancelled = error instanceof PlatformError && error.kind === "Cancelled";
  if (status === 500 && !cancelled) {
    log.error("api.failed", {
      method: incoming.method,
      path: incoming.path,
      message: body.message,
      cause: error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : undefined,
      stack: error instanceof PlatformError ? undefined : (error as Error | undefined)?.stack,
    });
  }
  if (!reply.begun) reply.json(status, body);
}
