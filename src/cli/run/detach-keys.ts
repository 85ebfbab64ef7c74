/** Finds the key sequence that detaches from a terminal. Spec: Docker, `--detach-keys`. */

export const defaultDetachKeys = "ctrl-p,ctrl-q";

/** `ctrl-p,ctrl-q` or `a,b,c` → bytes. Errors: Error naming the unknown key. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(",").map(keyCode));
}

const controlSymbols: Readonly<Record<string, number>> = {
  "@": 0,
  "[": 27,
  "\\": 28,
  "]": 29,
  "^": 30,
  _: 31,
};

function keyCode(key: string): number {
  if (key.length === 1) return key.charCodeAt(0);
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
  const code =
    control === undefined
      ? undefined
      : control >= "a" && control <= "z"
        ? control.charCodeAt(0) - 96
        : controlSymbols[control];
  if (code === undefined) throw new Error(`unknown detach key '${key}'`);
  return code;
}

export interface Scanned {
  /** Input to pass on. */
  readonly pass: Uint8Array;
  /** The sequence was completed; what came after it is dropped. */
  readonly detached: boolean;
}

/** Keeps a begun sequence back until it is clear whether it goes on. */
export class DetachScanner {
  private matched = 0;

  constructor(private readonly keys: Uint8Array) {}

  scan(input: Uint8Array): Scanned {
    const pass: number[] = [];
    for (const byte of input) {
      if (byte === this.keys[this.matched]) {
        this.matched++;
        if (this.matched === this.keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      pass.push(...this.keys.subarray(0, this.matched));
      this.matched = byte === this.keys[0] ? 1 : 0;
      if (this.matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
