import type { Template } from "../template/evaluate.ts";

/** The template of a `--format` that prints one object; undefined when there is none, or it is `json`. */
export async function templateFor(format: string | undefined): Promise<Template | undefined> {
  if (format === undefined || format === "" || format === "json") return undefined;
  const { templateOf } = await import("./template-rows.ts");
  return templateOf(format);
}
