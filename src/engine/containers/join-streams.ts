import type { AttachStream } from "../../shim/contract.ts";
import type { ClientStream } from "./client-stream.ts";
import { DetachKeyScanner } from "./detach-keys.ts";

export interface JoinOptions {
  /** Whether what the client sends is the process's stdin. */
  readonly stdin: boolean;
  /** Looked for in the input (only of a terminal). */
  readonly detachKeys: Uint8Array | undefined;
  readonly onDetach: () => void;
  /** The client's connection ends only after this, so that it can ask for the exit code at once. */
  readonly beforeEnd?: Promise<unknown>;
}

/**
 * Connects a client to a process's stdio until the process's output ends, the client leaves, or it types the detach
 * keys. A half-close of either side is passed on; the other direction goes on.
 */
export function joinStreams(client: ClientStream, stream: AttachStream, options: JoinOptions): void {
  stream.on("error", () => {}); // told by what follows; may come again, for each write that is left
  if (client.output.destroyed) {
    stream.destroy(); // it left while the connection was made
    return;
  }
  const endClient = (): void => {
    void Promise.resolve(options.beforeEnd).then(() => client.output.end());
  };
  stream.pipe(client.output, { end: false });
  stream.once("end", endClient);
  stream.once("error", endClient); // the shim was killed
  client.output.once("close", () => stream.destroy());
  client.output.on("error", () => stream.destroy());
  client.input.on("error", () => stream.destroy());
  if (!options.stdin) {
    client.input.resume(); // else its end and its close are never seen
    return;
  }
  if (options.detachKeys === undefined) {
    client.input.pipe(stream);
    return;
  }
  const scanner = new DetachKeyScanner(options.detachKeys, () => {
    client.input.unpipe(scanner);
    options.onDetach();
    stream.destroy();
    client.output.end();
  });
  client.input.pipe(scanner).pipe(stream);
}
