import type { KernelStep } from "../../kernel/steps.ts";
import { describeStep } from "./describe-step.ts";
import { printable } from "./shell-words.ts";

/** A line that says what a step does, and why. */
export const comment = (step: KernelStep) =>
  `# ${printable(describeStep(step))}  (${printable(step.reason)})`;

export const withComment = (step: KernelStep, commands: readonly string[]): string[] => [
  comment(step),
  ...commands,
];

export const isA =
  <Op extends KernelStep["op"]>(...ops: readonly Op[]) =>
  (step: KernelStep): step is Extract<KernelStep, { op: Op }> =>
    (ops as readonly string[]).includes(step.op);

type Hook = Extract<KernelStep, { op: "hook" }>;
export const isRuntimeHook = (step: KernelStep): step is Hook =>
  step.op === "hook" && step.where === "runtime";
export const isStartHook = (step: KernelStep): step is Hook =>
  step.op === "hook" && step.phase === "start" && step.where === "container";

/** In the host's PID namespace, as long as /proc is the host's. */
export const readPid = "read -r pid rest < /proc/self/stat";
export const tellAndWait = 'echo "$pid" >&3; read -r go <&4';
