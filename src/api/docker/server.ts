import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import { parseVersionedPath } from "./api-version.ts";
import { errorReply } from "./errors.ts";
import { HttpReply } from "./http-reply.ts";
import type { Reply } from "./reply.ts";
import type { Route } from "./route.ts";
import { Router } from "./router.ts";
import { UpgradeReply } from "./upgrade-reply.ts";

export interface DockerServerOptions {
  /** Routes that answer at once, also while the engine still opens its stores. */
  readonly immediate: readonly Route[];
  /** All others; a request for them waits until the engine is ready. */
  readonly ready: Promise<readonly Route[]>;
  readonly log: Log;
}

/** Docker's Engine API on node:http; the caller makes it listen. */
export function createDockerServer(options: DockerServerOptions): Server {
  const immediate = new Router(options.immediate);
  const ready = options.ready.then((routes) => new Router(routes));
  ready.catch(() => undefined); // whoever asks gets the reason; the engine's start reports it once

  const answer = async (incoming: Incoming, reply: Reply): Promise<void> => {
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

  const server = createServer((request, response) => {
    void answer(incomingOf(request, response), new HttpReply(request, response));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (head.length > 0) socket.unshift(head);
    socket.on("error", () => socket.destroy()); // a client that went away is no event
    void answer(incomingOf(request, socket), new UpgradeReply(socket));
  });
  // Waits, logs and events last as long as they last.
  server.timeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 0;
  return server;
}

interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readable;
  readonly signal: () => AbortSignal;
}

function incomingOf(request: IncomingMessage, connection: ServerResponse | Duplex): Incoming {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  let controller: AbortController | undefined;
  return {
    method: request.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    headers: request.headers,
    body: request,
    signal: () => {
      if (!controller) {
        const created = new AbortController();
        const cancelled = new PlatformError("Cancelled", "the client closed the connection");
        if (connection.destroyed) created.abort(cancelled);
        else connection.once("close", () => created.abort(cancelled));
        controller = created;
      }
      return controller.signal;
    },
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
