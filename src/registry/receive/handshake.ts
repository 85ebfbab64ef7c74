import type { Socket } from "node:net";

/** What the proxy says goes to `heard`, which may throw; the handshake is over with `done`. */
export interface Talk<T> {
  readonly say: (bytes: string | Uint8Array) => void;
  readonly done: (result: T) => void;
}

/**
 * Talks with a proxy before the connection is another's. Whoever it leads to speaks after the client, so that no byte
 * comes that is not the proxy's. Errors: those of the socket and of `heard`; the signal's reason.
 */
export async function handshake<T>(
  socket: Socket,
  signal: AbortSignal | undefined,
  begin: (talk: Talk<T>) => (heard: Uint8Array) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const guarded = (act: () => void) => {
    try {
      act();
    } catch (error) {
      reject(error);
    }
  };
  let hear: ((heard: Uint8Array) => void) | undefined;
  const onData = (bytes: Uint8Array) => guarded(() => hear?.(bytes));
  const onClose = () => reject(Object.assign(new Error("the proxy closed"), { code: "ECONNRESET" }));
  const onAbort = () => reject(signal?.reason);
  socket.on("data", onData).once("error", reject).once("close", onClose);
  signal?.addEventListener("abort", onAbort);
  try {
    guarded(() => {
      hear = begin({ say: (bytes) => void socket.write(bytes), done: resolve });
    });
    return await promise;
  } finally {
    socket.off("data", onData).off("error", reject).off("close", onClose);
    signal?.removeEventListener("abort", onAbort);
  }
}
