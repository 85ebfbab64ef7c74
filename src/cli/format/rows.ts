/** Lists as tables, as JSON lines, or through a user's template. */
import type { Method } from "../template/values.ts";
import { alignColumns } from "./tabwriter.ts";

/** One kind of list: how each field of a row is made, and its column header. */
export interface RowFormat<T> {
  readonly fields: Readonly<Record<string, Field<T>>>;
  /** The columns of the plain table: names of fields. */
  readonly columns: readonly string[];
}

export interface Field<T> {
  readonly header: string;
  /** Methods take arguments in a template, and are left out of `{{json .}}`. */
  readonly value: (row: T) => string | Method;
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

function plainTable<T>({ fields, columns }: RowFormat<T>, rows: readonly T[]): string {
  const header = columns.map((name) => fields[name]?.header ?? "");
  const lines = rows.map((row) => columns.map((name) => String(fields[name]?.value(row) ?? "")));
  return `${alignColumns([header, ...lines].map((cells) => cells.join("\t")).join("\n"))}\n`;
}

/** `-q`: one field a line. */
export function formatColumn<T>(kind: RowFormat<T>, rows: readonly T[], name: string): string {
  return rows.map((row) => `${String(kind.fields[name]?.value(row) ?? "")}\n`).join("");
}
