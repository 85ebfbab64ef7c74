/** Lists as tables, as JSON lines, or through a user's template. */
import { CommandError } from "../command-error.ts";
import { compileTemplate, type Template } from "../template/evaluate.ts";
import { TemplateError } from "../template/lex.ts";
import type { FieldSource, Method } from "../template/values.ts";
import { alignColumns } from "./tabwriter.ts";

/** One kind of list: how each field of a row is made, and its column header. */
export interface RowFormat<T> {
  /** In the order in which `{{json .}}` has them after sorting; methods are left out there. */
  readonly fields: Readonly<Record<string, Field<T>>>;
  /** The template of the plain table: `{{.ID}}\t{{.Name}}`. */
  readonly table: string;
}

export interface Field<T> {
  readonly header: string;
  readonly value: (row: T) => string | Method;
}

/** `format` as the user gave it; undefined prints the plain table. Out: text with its last newline. */
export function formatRows<T>(kind: RowFormat<T>, rows: readonly T[], format: string | undefined): string {
  const { template, isTable } = chooseTemplate(kind.table, format);
  const lines = rows.map((row) => render(template, fieldsOf(kind, row)));
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  const header = render(template, headersOf(kind));
  return `${alignColumns([header, ...lines].join("\n"))}\n`;
}

function chooseTemplate(plain: string, format: string | undefined): { template: Template; isTable: boolean } {
  const wanted = (format ?? "table").trim();
  if (wanted === "table") return { template: compile(plain), isTable: true };
  if (wanted === "json") return { template: compile("{{json .}}"), isTable: false };
  const isTable = /^table\s/.test(wanted);
  return { template: compile(unescapeShell(isTable ? wanted.slice(6).trim() : wanted)), isTable };
}

/** Errors: CommandError, as Docker words it. */
export function compile(source: string): Template {
  try {
    return compileTemplate(source);
  } catch (error) {
    throw templateFailure("template parsing error: template: :1: ", error);
  }
}

export function render(template: Template, data: unknown): string {
  try {
    return template(data);
  } catch (error) {
    throw templateFailure("template: :1: executing template: ", error);
  }
}

function templateFailure(prefix: string, error: unknown): unknown {
  return error instanceof TemplateError ? new CommandError(prefix + error.message, { cause: error }) : error;
}

/** A shell's single quotes leave `\t` and `\n` as they are. */
export const unescapeShell = (text: string) => text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");

function fieldsOf<T>(kind: RowFormat<T>, row: T): FieldSource {
  return {
    field: (name) => (Object.hasOwn(kind.fields, name) ? kind.fields[name]?.value(row) : undefined),
    toJSON: () =>
      Object.fromEntries(
        Object.entries(kind.fields)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, field]) => [name, field.value(row)] as const)
          .filter(([, value]) => typeof value === "string"),
      ),
  };
}

/** The same template gives the header when every field is its column's name. */
function headersOf<T>(kind: RowFormat<T>): FieldSource {
  return {
    field: (name) => (name === "Label" ? labelHeader : kind.fields[name]?.header),
    toJSON: () => Object.fromEntries(Object.entries(kind.fields).map(([name, { header }]) => [name, header])),
  };
}

/** `{{.Label "com.example.some-name"}}` heads its column with `some name`. */
const labelHeader: Method = (label) => String(label).split(".").at(-1)?.replace(/[-_]/g, " ") ?? "";
