import type { OutgoingHttpHeaders } from "node:http";
import { PassThrough, Readable } from "node:stream";
import type { ClientStream } from "../../engine/containers/client-stream.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { HttpRequest, HttpResponse, RawStream, UpgradeResult } from "../../wire/http1-client.ts";
import { type ByteSink, byteSink } from "./byte-sink.ts";
import type { Answer, Incoming } from "./docker-api.ts";
import { jsonContentType, jsonText, type Reply } from "./reply.ts";

type LocalResult = HttpResponse & { readonly stream?: RawStream };

/** Requests of a command that runs within the engine: straight to the routes. Disposing of it ends them all. */
export class LocalTransport implements Disposable {
  readonly #closing = new AbortController();

  constructor(private readonly answer: Answer) {}

  /** There is nothing to connect. */
  prepare(): void {}

  request(request: HttpRequest): Promise<HttpResponse> {
    return this.#ask(request);
  }

  async upgrade(request: HttpRequest): Promise<UpgradeResult> {
    const response = await this.#ask(request);
    const { stream } = response;
    return stream ? { upgraded: true, head: response, stream } : { upgraded: false, response };
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new PlatformError("Cancelled", "the client closed the connection"));
  }

  #ask(request: HttpRequest): Promise<LocalResult> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      void this.answer(
        incomingOf(request, signal),
        new LocalReply(request.method === "HEAD", resolve, signal),
      );
    });
  }
}

function incomingOf({ method, path, headers = {}, body }: HttpRequest, signal: AbortSignal): Incoming {
  const mark = path.indexOf("?");
  return {
    method,
    path: mark < 0 ? path : path.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : path.slice(mark + 1)),
    headers: lowerCased(headers),
    body: bodyOf(body),
    signal: () => signal,
  };
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function bodyOf(body: HttpRequest["body"]): Readable {
  if (body === undefined) return Readable.from([]);
  return Readable.from(
    typeof body === "string" ? [Buffer.from(body)] : body instanceof Uint8Array ? [body] : body,
  );
}

class LocalReply implements Reply {
  begun = false;

  constructor(
    private readonly isHead: boolean,
    private readonly begin: (result: LocalResult) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** A list is handed on as it is: writing and reading it would take longer than everything else. */
  json(status: number, body: unknown, text = () => jsonText(body)): void {
    if (Array.isArray(body)) {
      const lines = Readable.from(once(() => Buffer.from(text())));
      this.#answer({ status, headers: contentTypeOf(jsonContentType), body: lines, value: body });
    } else this.#whole(status, text(), { "Content-Type": jsonContentType });
  }

  text(body: string, headers: OutgoingHttpHeaders): void {
    this.#whole(200, body, headers);
  }

  empty(status: number): void {
    this.#whole(status, "", {});
  }

  stream(contentType: string): ByteSink {
    const body = this.#pipe();
    this.#answer({ status: 200, headers: contentTypeOf(contentType), body });
    return byteSink(body);
  }

  hijack(contentType: string): ClientStream {
    const [input, output] = [this.#pipe(), this.#pipe()];
    const close = () => {
      input.destroy();
      output.destroy();
    };
    const stream: RawStream = {
      [Symbol.asyncIterator]: () => output[Symbol.asyncIterator](),
      write: (bytes) => byteSink(input).write(bytes),
      closeWrite: () => input.end(),
      destroy: close,
    };
    this.#answer({ status: 101, headers: contentTypeOf(contentType), body: output, stream });
    return { input, output, close };
  }

  /** Breaks off when the command has ended or its caller is gone. */
  #pipe(): PassThrough {
    const pipe = new PassThrough();
    const breakOff = () => pipe.destroy();
    this.signal.addEventListener("abort", breakOff, { once: true });
    pipe.once("close", () => this.signal.removeEventListener("abort", breakOff));
    pipe.on("error", () => undefined); // its reader has the error too
    return pipe;
  }

  #whole(status: number, body: string, headers: OutgoingHttpHeaders): void {
    const shown = Object.entries(headers).map(
      ([name, value]) => [name.toLowerCase(), String(value)] as const,
    );
    const bytes = Buffer.from(this.isHead ? "" : body);
    this.#answer({ status, headers: new Map(shown), body: Readable.from(bytes.length > 0 ? [bytes] : []) });
  }

  #answer(result: LocalResult): void {
    this.begun = true;
    this.begin(result);
  }
}

function* once<T>(make: () => T): Generator<T> {
  yield make();
}

const contentTypeOf = (type: string) => new Map([["content-type", type]]);
