/**
 * Elastic columns as Docker's tables have them: a column is a run of lines that have a tab-ended cell there; it is as
 * wide as its widest cell plus padding. The last cell of a line is part of no column.
 */
const padding = 3;

/** Lines with tabs between their cells; `minWidth` is that of a column, 20 in some of Docker's tables. */
export function alignColumns(text: string, minWidth = 10): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map(() => [] as number[]);
  measure(lines, widths, { from: 0, to: lines.length, column: 0, minWidth });
  return lines
    .map((cells, row) =>
      cells
        .map((cell, column) => (column === cells.length - 1 ? cell : padTo(cell, widths[row]?.[column] ?? 0)))
        .join(""),
    )
    .join("\n");
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly column: number;
  readonly minWidth: number;
}

function measure(lines: string[][], widths: number[][], { from, to, column, minWidth }: Block): void {
  for (let row = from; row < to; row++) {
    if (!hasCell(lines[row], column)) continue;
    let end = row;
    let width = minWidth;
    for (; end < to && hasCell(lines[end], column); end++) {
      width = Math.max(width, displayWidth(lines[end]?.[column] ?? "") + padding);
    }
    for (let each = row; each < end; each++) widths[each]?.push(width);
    measure(lines, widths, { from: row, to: end, column: column + 1, minWidth });
    row = end - 1;
  }
}

/** A cell counts for a column only if a tab ends it. */
const hasCell = (cells: string[] | undefined, column: number) => column < (cells?.length ?? 0) - 1;

const padTo = (cell: string, width: number) => cell + " ".repeat(Math.max(0, width - displayWidth(cell)));

/** In characters. Counting them one by one takes as long as all the rest, and hardly any cell needs it. */
const displayWidth = (cell: string) => (beyondAscii.test(cell) ? [...cell].length : cell.length);
const beyondAscii = /[^ -~]/;
