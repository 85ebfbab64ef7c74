import type { KernelStep, Plan } from "../../kernel/steps.ts";
import { describeStep } from "./describe-step.ts";
import type { PlanFormat } from "./render-plan.ts";
import { printable } from "./shell-words.ts";
import { topicOf } from "./topics.ts";

export interface DiffSide {
  readonly plan: Plan;
  /** As the user called it. */
  readonly name: string;
  /** What differs between any two containers, by what stands for it: ids, root directories. Longest first. */
  readonly own: readonly (readonly [text: string, placeholder: string])[];
}

/**
 * Renders which steps two plans differ in: `-` only in the first, `+` only in the second, under the topics of the text form.
 * The text is empty, and the list of the JSON form, when they have the same steps, whatever the reasons.
 */
export function diffPlans(first: DiffSide, second: DiffSide, format: PlanFormat = "text"): string {
  const changes = difference(entriesOf(first), entriesOf(second));
  return format === "json" ? diffJson(first, second, changes) : diffText(first, second, changes);
}

/** Each change says in which of the two its step is. */
function diffJson(first: DiffSide, second: DiffSide, changes: readonly Change[]): string {
  const document = {
    first: first.name,
    second: second.name,
    changes: changes.map(({ sign, entry: { topic, text, reason } }) => ({
      only: sign === "-" ? "first" : "second",
      topic,
      step: text,
      reason,
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function diffText(first: DiffSide, second: DiffSide, changes: readonly Change[]): string {
  if (changes.length === 0) return "";
  const lines = [`- ${printable(first.name)}`, `+ ${printable(second.name)}`];
  let topic = "";
  for (const { sign, entry } of changes) {
    if (entry.topic !== topic) lines.push("", entry.topic);
    topic = entry.topic;
    lines.push(`  ${sign} ${printable(entry.text)}  # ${printable(entry.reason)}`);
  }
  return `${lines.join("\n")}\n`;
}

interface Entry {
  readonly topic: string;
  readonly text: string;
  readonly reason: string;
  /** Equal for equal entries. */
  readonly key: string;
}

const entriesOf = ({ plan, own }: DiffSide): Entry[] => {
  const neutral = (text: string) =>
    own.reduce((rest, [value, placeholder]) => rest.replaceAll(value, placeholder), text);
  return plan.steps.flatMap((step) =>
    describe(step).map(({ text, detail = "" }) => ({
      topic: topicOf(step),
      text: neutral(text),
      reason: neutral(step.reason),
      key: neutral(`${step.phase} ${step.op} ${text} ${detail}`),
    })),
  );
};

/** The sentence does not tell everything of these. */
function describe(step: KernelStep): { text: string; detail?: string }[] {
  if (step.op === "load-seccomp" || step.op === "attach-device-filter")
    return [{ text: describeStep(step), detail: Buffer.from(step.program).toString("base64") }];
  if (step.op !== "exec") return [{ text: describeStep(step) }];
  const sentence = describeStep(step).replace(/ with \d+ variables?$/, "");
  return [...step.env.map((variable) => ({ text: `variable ${variable}` })), { text: sentence }];
}

interface Change {
  readonly sign: "-" | "+";
  readonly entry: Entry;
}

/** The longest common subsequence stays; a plan has a few hundred steps, so that the whole table is small. */
function difference(first: readonly Entry[], second: readonly Entry[]): Change[] {
  const common = commonLengths(first, second);
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  for (let a = first[i], b = second[j]; a !== undefined || b !== undefined; a = first[i], b = second[j]) {
    if (a !== undefined && a.key === b?.key) {
      i++;
      j++;
    } else if (
      a !== undefined &&
      (b === undefined || lengthAt(common, i + 1, j) >= lengthAt(common, i, j + 1))
    ) {
      changes.push({ sign: "-", entry: a });
      i++;
    } else if (b !== undefined) {
      changes.push({ sign: "+", entry: b });
      j++;
    }
  }
  return changes;
}

const lengthAt = (common: readonly (readonly number[])[], i: number, j: number) => common[i]?.[j] ?? 0;

function commonLengths(first: readonly Entry[], second: readonly Entry[]): number[][] {
  const common: number[][] = Array.from({ length: first.length + 1 }, () => []);
  for (let i = first.length - 1; i >= 0; i--) {
    const row: number[] = [];
    for (let j = second.length - 1; j >= 0; j--)
      row[j] =
        first[i]?.key === second[j]?.key
          ? lengthAt(common, i + 1, j + 1) + 1
          : Math.max(lengthAt(common, i + 1, j), row[j + 1] ?? 0);
    common[i] = row;
  }
  return common;
}
