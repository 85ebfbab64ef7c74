/**
 * Calls `handler` with the number of each of these signals that this process gets from now on, instead of what the signal would
 * do to it. Out: what ends that.
 */
export function watchSignals(
  signals: ReadonlyMap<NodeJS.Signals, number>,
  handler: (signal: number) => void,
): () => void {
  const handlers = [...signals].map(([name, number]) => [name, () => handler(number)] as const);
  for (const [name, call] of handlers) process.on(name, call);
  return () => {
    for (const [name, call] of handlers) process.off(name, call);
  };
}
