import { setImmediate as nextTurn } from "node:timers/promises";

/** As long as a walk keeps its thread to itself. */
const turnMs = 4;
let turnBegan = 0;

/** For every step of a long walk: now and then the thread's other work comes first. Errors: `signal`'s reason. */
export async function giveTurn(signal: AbortSignal): Promise<void> {
  if (performance.now() - turnBegan >= turnMs) {
    await nextTurn();
    turnBegan = performance.now();
  }
  signal.throwIfAborted();
}
