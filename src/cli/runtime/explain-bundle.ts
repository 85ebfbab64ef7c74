import type { ExplainFormat } from "../../runtime/explain/render-explained.ts";
import type { PlanFormat } from "../../runtime/explain/render-plan.ts";
import { diffBundles as diff, explainBundle as explain } from "../../runtime/lifecycle/explain-bundle.ts";

/** `explain --bundle DIR`: the plan of a bundle, made in this process. Errors: PlatformError. */
export const explainBundle = (directory: string, format: ExplainFormat): string => explain(directory, format);

/** `explain --diff DIR DIR`. Errors: PlatformError. */
export const diffBundles = (first: string, second: string, format: PlanFormat): string =>
  diff(first, second, format);
