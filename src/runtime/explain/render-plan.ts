import type { OciSeccomp } from "../../formats/oci-runtime.ts";
import type { KernelStep, Phase, Plan } from "../../kernel/steps.ts";
import { describeStep } from "./describe-step.ts";
import { printable } from "./shell-words.ts";
import { summarizeSeccomp } from "./summarize-seccomp.ts";
import { type Topic, topicOf } from "./topics.ts";

export type PlanFormat = "text" | "json";

export interface RenderOptions {
  /** The profile of the plan's filter, for its summary: `linux.seccomp` of the spec. */
  readonly seccomp?: OciSeccomp | undefined;
}

/**
 * Renders a plan for people (`text`), or without any loss (`json`: 64-bit integers as decimal strings, bytes as base64).
 * Text ends with a newline.
 */
export function renderPlan(plan: Plan, format: PlanFormat, options: RenderOptions = {}): string {
  return format === "json" ? renderJson(plan) : renderText(plan, options);
}

const phaseTitles: Record<Phase, string> = {
  host: "On the host, before the container's process exists",
  clone: "Making the process",
  setup: "In the new process, before it is created",
  start: "At start",
};

const phases: readonly Phase[] = ["host", "clone", "setup", "start"];
const indent = "    ";
/** Where the reasons stand, unless all lines are shorter; a longer line has its reason right behind it. */
const reasonColumn = 100;

function renderText(plan: Plan, { seccomp }: RenderOptions): string {
  const lines: string[] = [];
  const sentences = plan.steps.map((step) => sentence(step, seccomp).length + indent.length);
  const column = sentences.reduce(
    (widest, length) => (length > reasonColumn ? widest : Math.max(widest, length)),
    0,
  );
  for (const phase of phases) {
    const steps = plan.steps.filter((step) => step.phase === phase);
    if (steps.length === 0) continue;
    if (lines.length > 0) lines.push("");
    lines.push(phaseTitles[phase]);
    let topic: Topic | undefined;
    for (const step of steps) {
      if (topicOf(step) !== topic) lines.push(`  ${topicOf(step)}`);
      topic = topicOf(step);
      lines.push(withReason(sentence(step, seccomp), step.reason, column));
    }
  }
  return `${lines.join("\n")}\n`;
}

const sentence = (step: KernelStep, seccomp: OciSeccomp | undefined): string =>
  step.op === "load-seccomp" && seccomp !== undefined
    ? `${describeStep(step)}; ${summarizeSeccomp(seccomp)}`
    : describeStep(step);

function withReason(text: string, reason: string, column: number): string {
  const line = printable(`${indent}${text}`);
  return `${line.padEnd(column)}  # ${printable(reason)}`;
}

function renderJson(plan: Plan): string {
  return `${JSON.stringify(plan, jsonValue, 2)}\n`;
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
