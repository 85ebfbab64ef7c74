import type { ServerResponse } from "node:http";
import type { Reply } from "./reply.ts";
import { SilenceLimit } from "./silence-limit.ts";

const always = {
  "Docker-Distribution-Api-Version": "registry/2.0",
  // Anybody may push anything: a browser must not take a blob for a page.
  "X-Content-Type-Options": "nosniff",
};

/** Sends a reply; a stream goes out no faster than the client takes it. Throws when the content cannot be read. */
export async function sendReply(response: ServerResponse, reply: Reply, isHead: boolean): Promise<void> {
  const { status, headers, body } = reply;
  const length = body instanceof Uint8Array ? { "Content-Length": String(body.length) } : {};
  const all = { ...always, ...length, ...headers };
  response.writeHead(
    status,
    Object.entries(all).flatMap(([name, value]) => fieldLines(name, value)),
  );
  if (body === undefined || isHead) response.end();
  else if (body instanceof Uint8Array) response.end(body);
  else await sendStream(response, body);
}

function fieldLines(name: string, value: string | readonly string[]): string[] {
  return typeof value === "string" ? [name, value] : value.flatMap((each) => [name, each]);
}

async function sendStream(response: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  for await (const chunk of body) {
    if (response.destroyed) return; // leaving the loop closes the file
    if (response.write(chunk)) continue;
    using _limit = new SilenceLimit(response.socket ?? response);
    await Promise.race([drained(response), gone]);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once("drain", resolve));
}
