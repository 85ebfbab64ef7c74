/**
 * The globals that Bun has and the interpreter lacks; imported before anything that uses them. `process.arch` is a constant
 * of the build.
 */
import { nr } from "../../kernel/syscall.ts";
import { host } from "../host.ts";
import { Buffer } from "./buffer.ts";
import { parse, rawJSON, stringify } from "./json.ts";
import { environmentProcess } from "./process.ts";
import { TextDecoder, TextEncoder } from "./text.ts";

/** `AbortSignal.timeout`: nothing else aborts a command. */
class TimeoutSignal {
  constructor(private readonly until: number) {}

  get aborted(): boolean {
    return host().monotonic() >= this.until;
  }

  throwIfAborted(): void {
    if (this.aborted) throw Object.assign(new Error("The operation timed out."), { name: "TimeoutError" });
  }
}

const sleepSync = (milliseconds: number): void => {
  const nanoseconds = Math.max(0, Math.round(milliseconds * 1e6));
  const pair = new BigInt64Array([BigInt(Math.floor(nanoseconds / 1e9)), BigInt(nanoseconds % 1e9)]);
  host().syscall(nr.ppoll, null, 0, new Uint8Array(pair.buffer), null, 8);
};

// The names by which the bundler's code for `using` finds them.
Object.defineProperty(Symbol, "dispose", { value: Symbol.for("Symbol.dispose") });
Object.defineProperty(Symbol, "asyncDispose", { value: Symbol.for("Symbol.asyncDispose") });

Object.assign(JSON, { parse, stringify, rawJSON });
Object.assign(globalThis, {
  Buffer,
  TextEncoder,
  TextDecoder,
  process: environmentProcess,
  performance: { now: () => host().monotonic() },
  AbortSignal: { timeout: (milliseconds: number) => new TimeoutSignal(host().monotonic() + milliseconds) },
  Bun: { sleepSync, sleep: async (milliseconds: number) => sleepSync(milliseconds) },
});
