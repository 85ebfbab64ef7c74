import { type OutgoingHttpHeaders, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ClientStream } from "../../engine/containers/client-stream.ts";
import { type ByteSink, byteSink } from "./byte-sink.ts";
import { commonHeaders } from "./common-headers.ts";
import { jsonContentType, jsonText, type Reply } from "./reply.ts";

/** The reply to a request that asked for `Upgrade: tcp`: node:http gives us the bare socket, so we write the header. */
export class UpgradeReply implements Reply {
  begun = false;

  constructor(private readonly socket: Duplex) {}

  hijack(contentType: string): ClientStream {
    this.#writeHead("101 UPGRADED", { "Content-Type": contentType, Connection: "Upgrade", Upgrade: "tcp" });
    const { socket } = this;
    return { input: socket, output: socket, close: () => socket.destroy() };
  }

  json(status: number, body: unknown, text = () => jsonText(body)): void {
    this.#whole(status, text(), { "Content-Type": jsonContentType });
  }

  text(body: string, headers: OutgoingHttpHeaders): void {
    this.#whole(200, body, headers);
  }

  empty(status: number): void {
    this.#whole(status, "", {});
  }

  /** The body ends with the connection. */
  stream(contentType: string): ByteSink {
    this.#writeHead("200 OK", { "Content-Type": contentType, Connection: "close" });
    return byteSink(this.socket);
  }

  #whole(status: number, body: string, headers: OutgoingHttpHeaders): void {
    const length = Buffer.byteLength(body);
    this.#writeHead(`${status} ${STATUS_CODES[status] ?? ""}`, {
      ...headers,
      "Content-Length": length,
      Connection: "close",
    });
    this.socket.end(body);
  }

  #writeHead(status: string, headers: OutgoingHttpHeaders): void {
    this.begun = true;
    const lines = Object.entries({ ...headers, ...commonHeaders }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    this.socket.write(`HTTP/1.1 ${status}\r\n${lines.join("\r\n")}\r\n\r\n`);
  }
}
