import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Answer, Incoming } from "./docker-api.ts";
import { HttpReply } from "./http-reply.ts";
import { UpgradeReply } from "./upgrade-reply.ts";

/** The API on node:http; the caller makes it listen. */
export function createDockerServer(answer: Answer): Server {
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
