import { Transform, type TransformCallback } from "node:stream";
import { invalidParameter } from "../../errors/platform-error.ts";

const controlKeys = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/** Docker's default: ctrl-p, ctrl-q. */
export const defaultDetachKeys: Uint8Array = Uint8Array.of(16, 17);

/** `ctrl-p,ctrl-q` or `a,ctrl-]` as bytes; undefined or empty: the default. Errors: InvalidParameter. */
export function parseDetachKeys(text: string | undefined): Uint8Array {
  if (text === undefined || text === "") return defaultDetachKeys;
  return Uint8Array.from(text.split(",").map((key) => keyByte(key, text)));
}

function keyByte(key: string, text: string): number {
  if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
  if (key === "DEL") return 127;
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
  const code = control === undefined ? -1 : controlKeys.indexOf(control);
  if (code < 0) throw invalidParameter(`invalid detach keys (${text}) provided`);
  return code;
}

/**
 * Passes input on and looks for the keys. A beginning of the sequence is held back until the next byte tells whether it
 * goes on; on the whole sequence `onDetach` is called and nothing is passed on any more.
 */
export class DetachKeyScanner extends Transform {
  #matched = 0;
  #detached = false;

  constructor(
    private readonly keys: Uint8Array,
    private readonly onDetach: () => void,
  ) {
    super();
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#detached) {
      done();
      return;
    }
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.keys[this.#matched]) {
        passed.push(...this.keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === this.keys.length) {
        this.#detached = true;
        break;
      }
    }
    if (passed.length > 0) this.push(Uint8Array.from(passed));
    done();
    if (this.#detached) this.onDetach();
  }

  override _flush(done: TransformCallback): void {
    if (!this.#detached && this.#matched > 0) this.push(this.keys.slice(0, this.#matched));
    done();
  }
}
