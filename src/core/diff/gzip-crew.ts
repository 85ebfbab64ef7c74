import { type PlatformError, systemError } from "../../errors/platform-error.ts";
import { startWorker } from "../../kernel/start-worker.ts";
import { gzipPiece } from "./gzip-piece.ts";

/** One is compressed sooner than a Worker has started. More would keep the engine's own thread from everything else. */
const ownPieces = 1;

/** One that is worked on, and one that waits, so that its Worker never does. */
const piecesPerWorker = 2;

/** Compresses pieces of one layer at the same time, in Workers that live as long as it. */
export class GzipCrew implements Disposable {
  readonly #helpers: GzipHelper[] = [];
  #pieces = 0;

  constructor(private readonly workers: number) {}

  /** How many pieces there should be at a time. */
  get capacity(): number {
    return this.workers * piecesPerWorker;
  }

  /** `piece` is given away, with its memory. Errors: System when a Worker breaks down. */
  gzip(piece: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#pieces++ < ownPieces) return Promise.resolve(gzipPiece(piece));
    return this.#helper().gzip(piece);
  }

  /** Who waits for a piece waits for ever. */
  [Symbol.dispose](): void {
    for (const helper of this.#helpers.splice(0)) helper.end();
  }

  /** An idle one, else a new one, else the one with the fewest pieces. */
  #helper(): GzipHelper {
    const [least] = this.#helpers.toSorted((a, b) => a.load - b.load);
    if (least !== undefined && (least.load === 0 || this.#helpers.length >= this.workers)) return least;
    const helper = new GzipHelper();
    this.#helpers.push(helper);
    return helper;
  }
}

class GzipHelper {
  readonly #worker = startWorker("core/diff/gzip-worker", { name: "gzip" });
  readonly #waiting: PromiseWithResolvers<Uint8Array>[] = [];
  #failure: PlatformError | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Uint8Array>) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => this.#breakDown(event.message);
    this.#worker.addEventListener("close", () => this.#breakDown("it ended"));
  }

  get load(): number {
    return this.#waiting.length;
  }

  gzip(piece: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (this.#failure) throw this.#failure;
    const answer = Promise.withResolvers<Uint8Array>();
    answer.promise.catch(() => undefined); // nobody asks for it when an earlier one has failed
    this.#waiting.push(answer);
    this.#worker.postMessage(piece, [piece.buffer]);
    return answer.promise;
  }

  end(): void {
    this.#waiting.splice(0);
    this.#worker.terminate();
  }

  #breakDown(reason: string): void {
    this.#failure ??= systemError(`the compressing worker broke down: ${reason}`, { code: "worker.broken" });
    for (const answer of this.#waiting.splice(0)) answer.reject(this.#failure);
  }
}
