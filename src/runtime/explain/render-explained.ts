import type { Plan } from "../../kernel/steps.ts";
import { type PlanFormat, type RenderOptions, renderPlan } from "./render-plan.ts";
import { renderShell, type ShellOptions } from "./render-shell.ts";

export const explainFormats = ["text", "json", "shell"] as const satisfies readonly (PlanFormat | "shell")[];
export type ExplainFormat = (typeof explainFormats)[number];

/** A plan in any of the forms that `gantry explain` has. */
export const renderExplained = (
  plan: Plan,
  format: ExplainFormat,
  options: RenderOptions & ShellOptions,
): string => (format === "shell" ? renderShell(plan, options) : renderPlan(plan, format, options));
