import type { ExplainFormat } from "../../runtime/explain/render-explained.ts";
import type { PlanFormat } from "../../runtime/explain/render-plan.ts";
import {
  diffBundles as diff,
  type ExplainOptions,
  explainBundle as explain,
} from "../../runtime/lifecycle/explain-bundle.ts";

export type { ExplainOptions };

/** `explain --bundle DIR`: the plan of a bundle, made in this process. Errors: PlatformError. */
export const explainBundle = (directory: string, format: ExplainFormat, options: ExplainOptions): string =>
  explain(directory, format, options);

/** `explain --diff DIR DIR`. Errors: PlatformError. */
export const diffBundles = (
  first: string,
  second: string,
  format: PlanFormat,
  options: ExplainOptions,
): string => diff(first, second, format, options);
