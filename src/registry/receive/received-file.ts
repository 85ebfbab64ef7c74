import { BlobAppender } from "../../core/content/blob-appender.ts";
import type { PlainGet, PlainHead } from "../../wire/body-receiver.ts";
import type { Connections } from "./connections.ts";
import type { Answers, OpenFile, Question } from "./receive-messages.ts";

/** Between two reports of the size. */
const reportIntervalMs = 4;

/** One blob that arrives in the Worker, with the answer whose body is read at the moment. */
export class ReceivedFile {
  readonly #appender: BlobAppender;
  readonly #opened: Promise<void>;
  #abort = new AbortController();
  #body: AsyncIterator<Uint8Array> | undefined;
  #reportTimer: ReturnType<typeof setTimeout> | undefined;
  #reported: number;

  constructor(
    private readonly connections: Connections,
    { fd, offset, expected }: OpenFile,
    private readonly onGrown: (size: number) => void,
  ) {
    this.#reported = offset;
    this.#appender = new BlobAppender(fd, expected);
    this.#opened = this.#appender.hashAgain(offset);
  }

  async answer(question: Question): Promise<Answers[Question["kind"]]> {
    await this.#opened;
    switch (question.kind) {
      case "open":
        return undefined;
      case "get":
        return this.#get(question.request);
      case "next":
        return copyOf(await this.#next());
      case "append":
        return this.#appendRest(question.skip);
      case "write":
        this.#append(question.bytes);
        this.#report();
        return undefined;
      case "finish":
        return { size: this.#appender.size, digest: this.#appender.digest() };
      case "close":
        this.cancel();
        clearTimeout(this.#reportTimer);
        return undefined;
    }
  }

  /** The connection of the request is dropped; who waits for it gets an error. */
  cancel(): void {
    this.#abort.abort(givenUp());
    this.#body = undefined;
  }

  async #get(request: PlainGet): Promise<PlainHead> {
    this.cancel();
    this.#abort = new AbortController();
    const {
      status,
      statusText = "",
      headers,
      body,
    } = await this.connections.get(request, this.#abort.signal);
    this.#body = body[Symbol.asyncIterator]();
    return { status, statusText, headers: [...headers] };
  }

  async #next(): Promise<Uint8Array | undefined> {
    const next = await this.#body?.next();
    return next?.done ? undefined : next?.value;
  }

  async #appendRest(skip: number): Promise<undefined> {
    let left = skip;
    try {
      for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
        const wanted = piece.subarray(Math.min(left, piece.length));
        left -= piece.length - wanted.length;
        this.#append(wanted);
      }
    } finally {
      this.cancel();
      this.#report();
    }
  }

  #append(bytes: Uint8Array): void {
    this.#appender.append(bytes);
    this.#reportTimer ??= setTimeout(() => this.#report(), reportIntervalMs);
  }

  #report(): void {
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    const { size } = this.#appender;
    if (size === this.#reported) return;
    this.#reported = size;
    this.onGrown(size);
  }
}

/** Of a view the whole memory would be posted. */
const copyOf = (piece: Uint8Array | undefined) => piece && new Uint8Array(piece);

const givenUp = () => Object.assign(new Error("the request was given up"), { code: "ECONNABORTED" });
