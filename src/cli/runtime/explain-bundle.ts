import type { ExplainFormat } from "../../runtime/explain/render-explained.ts";
import { explainBundle as explain } from "../../runtime/lifecycle/explain-bundle.ts";

/** `explain --bundle DIR`: the plan of a bundle, made in this process. Errors: PlatformError. */
export const explainBundle = (directory: string, format: ExplainFormat): string => explain(directory, format);
