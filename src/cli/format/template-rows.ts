/** Lists and objects through a user's `--format`. */
import { CommandError } from "../command-error.ts";
import { compileTemplate, type Template } from "../template/evaluate.ts";
import { TemplateError } from "../template/lex.ts";
import type { FieldSource, Method } from "../template/values.ts";
import type { RowFormat } from "./row-format.ts";
import { alignColumns } from "./tabwriter.ts";

/** `json`, `table TEMPLATE`, or a template. Out: text with its last newline. Errors: CommandError. */
export function formatWithTemplate<T>(kind: RowFormat<T>, rows: readonly T[], format: string): string {
  const isTable = /^table\s/.test(format);
  const source = format === "json" ? "{{json .}}" : isTable ? format.slice(6).trim() : format;
  const template = templateOf(source);
  const lines = rows.map((row) => template(fieldsOf(kind, row)));
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  return `${alignColumns([template(headersOf(kind)), ...lines].join("\n"))}\n`;
}

/**
 * Compiles a user's template, `\\t` and `\\n` of a shell's single quotes included. Errors, also of the result:
 * CommandError, as Docker words it.
 */
export function templateOf(source: string): Template {
  const template = guarded("template parsing error: template: :1: ", () =>
    compileTemplate(source.replaceAll("\\t", "\t").replaceAll("\\n", "\n")),
  );
  return (data) => guarded("template: :1: executing template: ", () => template(data));
}

function guarded<T>(prefix: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof TemplateError ? new CommandError(prefix + error.message, { cause: error }) : error;
  }
}

/** The fields of a row as a template sees them. */
export function fieldsOf<T>(kind: RowFormat<T>, row: T): FieldSource {
  return {
    field: (name) => (Object.hasOwn(kind.fields, name) ? kind.fields[name]?.value(row) : undefined),
    toJSON: () =>
      Object.fromEntries(
        Object.entries(kind.fields)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, { value, json = value }]) => [name, json(row)] as const)
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
