/** Collects where each place of a spec came from, in the user's words. */
export class OriginMap {
  readonly map = new Map<string, string>([["", "default"]]);

  set(pointer: string, words: string): void {
    this.map.set(pointer, words);
  }
}

/** `--memory 256m`: bytes as a user writes them. */
export function sizeWord(bytes: number): string {
  if (bytes <= 0) return String(bytes);
  for (const [unit, letter] of [
    [1024 ** 3, "g"],
    [1024 ** 2, "m"],
    [1024, "k"],
  ] as const)
    if (bytes % unit === 0) return `${bytes / unit}${letter}`;
  return `${bytes}b`;
}
