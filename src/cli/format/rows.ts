/** Lists as tables, as JSON lines, or through a user's template. */
import type { RowFormat } from "./row-format.ts";
import { alignColumns } from "./tabwriter.ts";

export interface ListStyle {
  /** As the user gave it; undefined for the plain table. */
  readonly format: string | undefined;
  /** `-q`: ids alone. A template is stronger. */
  readonly quiet: boolean;
}

/** What a list command prints. Out: text with its last newline. Errors: CommandError for a template that does not fit. */
export async function formatList<T>(
  kind: RowFormat<T>,
  rows: readonly T[],
  { format = "table", quiet }: ListStyle,
): Promise<string> {
  const wanted = format.trim();
  if (wanted === "raw" && kind.raw !== undefined) return formatRaw(kind, kind.raw, rows, quiet);
  return quiet && ["", "table"].includes(wanted)
    ? formatColumn(kind, rows, "ID")
    : formatRows(kind, rows, wanted);
}

/** A line for each field, an empty one after each row; with `-q` the line of the id alone. */
function formatRaw<T>(
  { fields }: RowFormat<T>,
  raw: NonNullable<RowFormat<T>["raw"]>,
  rows: readonly T[],
  quiet: boolean,
): string {
  const shown = quiet ? raw.filter(([, field]) => field === "ID") : raw;
  const text = (row: T) =>
    shown.map(([label, field]) => `${label}: ${fields[field]?.value(row) ?? ""}\n`).join("");
  return rows.map((row) => text(row) + (quiet ? "" : "\n")).join("");
}

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
