export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** The ranges which lines `OWNER:START:COUNT` give to any of `owners`; damaged lines give nothing. Spec: subuid(5). */
export function parseSubordinateIds(text: string, owners: readonly string[]): IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [, owner = "", start, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return owners.includes(owner) ? [{ start: Number(start), count: Number(count) }] : [];
  });
}

/** The first of `size` ids from `first` on that no range has; undefined when all are covered, be it by several ranges. */
export function uncoveredId(ranges: readonly IdRange[], first: number, size: number): number | undefined {
  let id = first;
  for (;;) {
    if (id >= first + size) return undefined;
    const range = ranges.find(({ start, count }) => id >= start && id < start + count);
    if (range === undefined) return id;
    id = range.start + range.count;
  }
}
