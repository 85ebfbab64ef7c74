import type { Writable } from "node:stream";

/** Bytes on their way to a client, with back-pressure. */
export interface ByteSink {
  /** Settles when there is room for more; also when the client went away (see the request's signal). */
  write(chunk: string | Uint8Array): Promise<void>;
  end(): void;
  /** Breaks the connection, so that the client sees that the body is not whole. */
  fail(): void;
}

export function byteSink(output: Writable): ByteSink {
  return {
    write: async (chunk) => {
      if (output.destroyed || output.writableEnded) return;
      if (!output.write(chunk)) await drained(output);
    },
    end: () => {
      if (!output.destroyed) output.end();
    },
    fail: () => {
      output.destroy();
    },
  };
}

function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      output.off("drain", done);
      output.off("close", done);
      resolve();
    };
    output.on("drain", done);
    output.on("close", done);
  });
}
