/** Lists as tables, as JSON lines, or through a user's template. */
import type { RowFormat } from "./row-format.ts";
import { alignColumns } from "./tabwriter.ts";

/** `format` as the user gave it; undefined prints the plain table. Out: text with its last newline. */
export async function formatRows<T>(
  kind: RowFormat<T>,
  rows: readonly T[],
  format: string | undefined,
): Promise<string> {
  const wanted = (format ?? "table").trim();
  if (wanted === "table" || wanted === "") return plainTable(kind, rows);
  // Templates are many times slower to load than a plain table is to print.
  const { formatWithTemplate } = await import("./template-rows.ts");
  return formatWithTemplate(kind, rows, wanted);
}

/** Every column of `kind`. Ends with a newline. */
export function plainTable<T>({ fields, columns }: RowFormat<T>, rows: readonly T[]): string {
  const header = columns.map((name) => fields[name]?.header ?? "");
  const lines = rows.map((row) => columns.map((name) => String(fields[name]?.value(row) ?? "")));
  return `${alignColumns([header, ...lines].map((cells) => cells.join("\t")).join("\n"))}\n`;
}

/** `-q`: one field a line. */
export function formatColumn<T>(kind: RowFormat<T>, rows: readonly T[], name: string): string {
  return rows.map((row) => `${String(kind.fields[name]?.value(row) ?? "")}\n`).join("");
}
