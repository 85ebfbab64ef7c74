import type { Method } from "../template/values.ts";

/** One kind of list: how each field of a row is made, and its column header. */
export interface RowFormat<T> {
  readonly fields: Readonly<Record<string, Field<T>>>;
  /** The columns of the plain table: names of fields. */
  readonly columns: readonly string[];
  /** `--format raw`, where Docker has it: labels, and names of fields. */
  readonly raw?: readonly (readonly [label: string, field: string])[];
}

export interface Field<T> {
  readonly header: string;
  /** Methods take arguments in a template, and are left out of `{{json .}}`. */
  readonly value: (row: T) => string | Method;
  /** In `{{json .}}`, where it has other words than a table. */
  readonly json?: (row: T) => string;
}
