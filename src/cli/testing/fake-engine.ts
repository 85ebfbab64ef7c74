/** A scripted engine for unit tests: routes answer as the test says, every request is noted. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

export interface SeenRequest {
  /** `POST /containers/create?name=x`, without the version. */
  readonly line: string;
  readonly body: string;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;
export type Hijack = (request: SeenRequest, socket: Duplex) => void;

export interface FakeEngine extends AsyncDisposable {
  readonly host: string;
  readonly seen: SeenRequest[];
  /** Answers requests whose line begins with `prefix`; later calls come first. */
  on(prefix: string, answer: Answer): void;
  /** Takes over connections that ask for an upgrade. */
  onHijack(prefix: string, hijack: Hijack): void;
}

export async function startFakeEngine(): Promise<FakeEngine> {
  const directory = mkdtempSync(join(tmpdir(), "fake-engine-"));
  const path = join(directory, "engine.sock");
  const seen: SeenRequest[] = [];
  const answers: (readonly [string, Answer])[] = [];
  const hijacks: (readonly [string, Hijack])[] = [];
  const note = async (incoming: IncomingMessage) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const request = { line: `${incoming.method} ${incoming.url?.replace(/^\/v[\d.]+/, "")}`, body };
    seen.push(request);
    return request;
  };
  const server = createServer(async (incoming, response) => {
    const request = await note(incoming);
    const answer = answers.findLast(([prefix]) => request.line.startsWith(prefix))?.[1];
    if (answer === undefined) json(404, { message: `page not found: ${request.line}` })(request, response);
    else answer(request, response);
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (head.length > 0) socket.unshift(head);
    const request = { line: `${incoming.method} ${incoming.url?.replace(/^\/v[\d.]+/, "")}`, body: "" };
    seen.push(request);
    const hijack = hijacks.findLast(([prefix]) => request.line.startsWith(prefix))?.[1];
    if (hijack !== undefined) hijack(request, socket);
    else socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    seen,
    on: (prefix, answer) => answers.push([prefix, answer]),
    onHijack: (prefix, hijack) => hijacks.push([prefix, hijack]),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function json(status: number, value: unknown): Answer {
  return (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(value));
  };
}

export const empty =
  (status: number): Answer =>
  (_, response) => {
    response.writeHead(status);
    response.end();
  };

export const upgraded = (framed: boolean) =>
  `HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.${framed ? "multiplexed" : "raw"}-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
