import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { messageOf } from "../errors/platform-error.ts";
import type { Log } from "../log/log.ts";
import type { CollectionRequest, Collector } from "../registry/server/gc/collector.ts";
import { listenOnSocket } from "./listen.ts";

export const adminSocketPath = (root: string): string => join(root, "admin.sock");
export const collectPath = "/collect";
const maxRequestBytes = 4096;

/** Length of sun_path without its NUL (unix(7)). */
const longestSocketPath = 107;

/**
 * Takes orders of root on this machine, over a socket in the registry's directory: `POST /collect`. Undefined where the
 * directory's path is too long for a socket: such a registry is collected on a schedule, or while it does not run.
 */
export async function serveAdmin(root: string, collector: Collector, log: Log): Promise<Server | undefined> {
  const path = adminSocketPath(root);
  if (Buffer.byteLength(path) > longestSocketPath) {
    log.warn("registry.no-admin-socket", { path, longest: longestSocketPath });
    return undefined;
  }
  const server = createServer((request, response) => void answer(request, response, collector));
  await listenOnSocket(server, path, undefined);
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  collector: Collector,
): Promise<void> {
  const send = (status: number, body: unknown) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  try {
    if (request.method !== "POST" || request.url !== collectPath) return void send(404, "no such endpoint");
    let text = "";
    for await (const chunk of request) {
      text += chunk;
      if (text.length > maxRequestBytes) return void send(413, "too long");
    }
    send(200, await collector.collect(JSON.parse(text) as CollectionRequest));
  } catch (error) {
    send(500, messageOf(error));
  }
}
