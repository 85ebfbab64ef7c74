import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { ClientStream } from "../../engine/containers/client-stream.ts";
import { type ByteSink, byteSink } from "./byte-sink.ts";
import { commonHeaders } from "./common-headers.ts";
import { jsonContentType, jsonText, type Reply, rawStreamType } from "./reply.ts";

/** The reply to an ordinary request. */
export class HttpReply implements Reply {
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {}

  get begun(): boolean {
    return this.response.headersSent;
  }

  json(status: number, body: unknown, text = () => jsonText(body)): void {
    this.#send(status, text(), { "Content-Type": jsonContentType });
  }

  text(body: string, headers: OutgoingHttpHeaders): void {
    this.#send(200, body, headers);
  }

  empty(status: number): void {
    this.response.writeHead(status, commonHeaders);
    this.response.end();
  }

  stream(contentType: string): ByteSink {
    this.#begin(contentType);
    return byteSink(this.response);
  }

  /**
   * Without an Upgrade header: node:http does not let go of such a connection, so that the output arrives as a chunked
   * body, and the request's body is the input.
   */
  hijack(_contentType: string): ClientStream {
    this.#begin(rawStreamType);
    const { request, response } = this;
    return { input: request, output: response, close: () => response.end() };
  }

  #begin(contentType: string): void {
    this.response.writeHead(200, { ...commonHeaders, "Content-Type": contentType });
    this.response.flushHeaders();
  }

  #send(status: number, body: string, headers: OutgoingHttpHeaders): void {
    const length = this.request.method === "HEAD" ? 0 : Buffer.byteLength(body);
    this.response.writeHead(status, { ...commonHeaders, ...headers, "Content-Length": length });
    this.response.end(this.request.method === "HEAD" ? undefined : body);
  }
}
