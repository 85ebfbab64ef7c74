import type { BlobFile, BlobWriter, BlobWriters } from "../../core/content/blob-writer.ts";
import { fromErrorMessage } from "../../errors/error-message.ts";
import { systemError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import { startWorker } from "../../kernel/start-worker.ts";
import type { BodyReceiver, PlainGet, PlainHead } from "../../wire/body-receiver.ts";
import type { Answers, Failure, FromReceiver, Question, QuestionOf, ToReceiver } from "./receive-messages.ts";

interface Waiting {
  readonly resolve: (answer: Answers[Question["kind"]]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A Worker in which blobs arrive: it reads from the network, hashes and writes, so that the thread of its owner sees
 * none of the bytes. It starts with the first blob and ends when there was none for a while.
 */
export class ReceiverThread implements BlobWriters, Disposable {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #files = new Map<number, (size: number) => void>();
  #last = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** A Worker costs some MB, so it ends after `idleMs` without a blob. */
  constructor(private readonly idleMs = 5000) {}

  async open({ file, offset, expected, onGrown }: BlobFile): Promise<BlobWriter> {
    const number = ++this.#last;
    const writer = new ReceivedBlob(offset, {
      ask: (question) => this.#ask(number, question),
      cancel: () => this.#worker?.postMessage({ type: "cancel", file: number } satisfies ToReceiver),
      forget: () => this.#forget(number),
    });
    this.#files.set(number, (size) => {
      writer.grown(size);
      onGrown(size);
    });
    clearTimeout(this.#idleTimer);
    this.#worker?.ref();
    try {
      await this.#ask(number, { kind: "open", file: { fd: file.fd, offset, expected } });
      return writer;
    } catch (error) {
      this.#forget(number);
      throw error;
    }
  }

  /** Ends the Worker; what still arrives fails. */
  [Symbol.dispose](): void {
    this.#end("the receiver is closed");
  }

  async #ask<K extends Question["kind"]>(file: number, question: QuestionOf<K>): Promise<Answers[K]> {
    if (this.#worker === undefined && question.kind !== "open") throw broken("the receiver has ended");
    const { promise, resolve, reject } = Promise.withResolvers<Answers[Question["kind"]]>();
    const id = ++this.#last;
    this.#waiting.set(id, { resolve, reject });
    this.#worker ??= this.#start();
    this.#worker.postMessage({ type: "ask", file, id, question } satisfies ToReceiver);
    // The Worker answers a question with the answer of its kind.
    return (await promise) as Answers[K];
  }

  #start(): Worker {
    const worker = startWorker("registry/receive/receive-worker", { name: "receive" });
    worker.onmessage = ({ data }: MessageEvent<FromReceiver>) => this.#receive(data);
    const breakDown = (reason: string) => {
      if (worker === this.#worker) this.#end(`the receiver broke down: ${reason}`);
    };
    worker.onerror = (event) => breakDown(event.message);
    worker.addEventListener("close", () => breakDown("it ended"));
    return worker;
  }

  #receive(message: FromReceiver): void {
    if (message.type === "grown") {
      this.#files.get(message.file)?.(message.size);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(errorOf(message.failure));
  }

  #forget(file: number): void {
    this.#files.delete(file);
    if (this.#files.size > 0) return;
    this.#idleTimer = setTimeout(() => this.#end("the receiver is idle"), this.idleMs).unref();
    this.#worker?.unref();
  }

  #end(reason: string): void {
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(broken(reason));
  }
}

const broken = (reason: string) => systemError(reason, { code: "worker.broken" });

interface Conversation {
  ask<K extends Question["kind"]>(question: QuestionOf<K>): Promise<Answers[K]>;
  cancel(): void;
  forget(): void;
}

/** The owner's side of one blob. */
class ReceivedBlob implements BlobWriter, BodyReceiver {
  readonly receiver = this;
  private onBytes: (() => void) | undefined;

  constructor(
    private size: number,
    private readonly worker: Conversation,
  ) {}

  get offset(): number {
    return this.size;
  }

  grown(size: number): void {
    this.size = size;
    this.onBytes?.();
  }

  async get(request: PlainGet, signal: AbortSignal): Promise<PlainHead> {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => this.cancel(), { once: true });
    return await this.worker.ask({ kind: "get", request });
  }

  next(): Promise<Uint8Array | undefined> {
    return this.worker.ask({ kind: "next" });
  }

  async append(skip: number, onBytes: () => void): Promise<void> {
    this.onBytes = onBytes;
    try {
      await this.worker.ask({ kind: "append", skip });
    } finally {
      this.onBytes = undefined;
    }
  }

  cancel(): void {
    this.worker.cancel();
  }

  async write(chunk: Uint8Array): Promise<void> {
    // Of a view the whole memory would be posted.
    await this.worker.ask({ kind: "write", bytes: new Uint8Array(chunk) });
  }

  finish(): Promise<{ size: number; digest: Digest }> {
    return this.worker.ask({ kind: "finish" });
  }

  async close(): Promise<void> {
    // A Worker that broke down writes nothing any more.
    await this.worker.ask({ kind: "close" }).catch(() => {});
    this.worker.forget();
  }
}

function errorOf(failure: Failure): Error {
  if (failure.is === "storage") return fromErrorMessage(failure.error);
  const { message, code, statusText } = failure;
  return Object.assign(new Error(message), { code, statusText });
}
