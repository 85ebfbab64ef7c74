import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import { connectionError } from "./connection-error.ts";
import { shownRequest } from "./shown-request.ts";

/** One timer and one signal for the life of a request: the caller's abort, or a step that took too long. */
export class Watch {
  private readonly controller = new AbortController();
  private readonly onAbort = () => this.controller.abort(this.caller.reason);
  private timer: NodeJS.Timeout | undefined;
  private late = false;

  constructor(
    private readonly caller: AbortSignal,
    private readonly proxy: string | undefined,
  ) {
    caller.addEventListener("abort", this.onAbort, { once: true });
    if (caller.aborted) this.onAbort(); // while something else was waited for
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The next step has to come within `ms`. */
  expectWithin(ms: number): void {
    this.timer = setTimeout(() => {
      this.late = true;
      this.controller.abort();
    }, ms);
  }

  /** Nothing is expected: the reader is busy with what came. */
  rest(): void {
    clearTimeout(this.timer);
  }

  end(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener("abort", this.onAbort);
  }

  /** The caller's own abort reason, or the error of the connection in Docker's words. */
  translate(error: unknown, method: string, url: string, whenLate: string): unknown {
    if (this.caller.aborted) return this.caller.reason;
    if (error instanceof PlatformError) return error;
    if (!this.late) return connectionError(method, url, error, this.proxy);
    return timeoutError(method, url, whenLate);
  }
}

function timeoutError(method: string, url: string, cause: string): PlatformError {
  return unavailable(`${shownRequest({ method, url })}: ${cause}`, { code: "registry.timeout" });
}
