import type { KernelStep } from "../../kernel/steps.ts";
import { capabilitiesOf } from "../capabilities.ts";
import { maskList, memoryPolicyWord } from "./flag-names.ts";
import { quote } from "./shell-words.ts";

type StepOf<Op extends KernelStep["op"]> = Extract<KernelStep, { op: Op }>;

/**
 * Programs that change what they are and then execute the next: together they make the container's process. setpriv(1) is one
 * program for several steps. Each element is one program with its arguments, quoted.
 */
export function processChain(steps: readonly KernelStep[]): string[] {
  return [...steps.flatMap(wrapper), setpriv(steps), ...steps.flatMap(environment)];
}

/** Of the chain; the others of phase `start` are builtin commands of the shell before it. */
export const isOfChain = ({ op }: KernelStep): boolean =>
  wrapperOps.has(op) || privilegeOps.has(op) || op === "exec" || op === "change-directory";

const wrapperOps = new Set<KernelStep["op"]>([
  "set-personality",
  "set-scheduler",
  "set-io-priority",
  "set-cpu-affinity",
  "set-memory-policy",
  "set-rlimit",
]);
const privilegeOps = new Set<KernelStep["op"]>([
  "set-bounding",
  "set-user",
  "set-capabilities",
  "no-new-privileges",
  "set-security-label",
]);

function wrapper(step: KernelStep): string[] {
  switch (step.op) {
    case "set-personality":
      return [`setarch ${step.domain === 8 ? "linux32" : "linux64"}`];
    case "set-scheduler":
      return [schedulerCommand(step)];
    case "set-io-priority":
      return [`ionice -c ${step.class} -n ${step.level}`];
    case "set-cpu-affinity":
      return [`taskset 0x${Buffer.from(step.mask).reverse().toString("hex")}`];
    case "set-memory-policy":
      return [memoryPolicyCommand(step)];
    case "set-rlimit":
      return [
        `prlimit --${step.name.replace("RLIMIT_", "").toLowerCase()}=${limit(step.soft)}:${limit(step.hard)}`,
      ];
    default:
      return [];
  }
}

const numactlOptions: Readonly<Record<string, string>> = { local: "localalloc", bind: "membind" };

/** The options of numactl(8) take the nodes; only `local` has none. */
function memoryPolicyCommand({ mode, nodes }: StepOf<"set-memory-policy">): string {
  const word = memoryPolicyWord(mode);
  const option = numactlOptions[word] ?? word;
  return `numactl --${option}${nodes.length === 0 ? "" : `=${maskList(nodes)}`}`;
}

const limit = (value: bigint) => (value === (1n << 64n) - 1n ? "unlimited" : String(value));

/** sched(7): the numbers of the policies as options of chrt(1). */
const policies: Readonly<Record<number, string>> = { 0: "-o", 1: "-f", 2: "-r", 3: "-b", 5: "-i", 6: "-d" };

function schedulerCommand(step: StepOf<"set-scheduler">): string {
  const times = step.policy === 6 ? ` -T ${step.runtimeNs} -D ${step.deadlineNs} -P ${step.periodNs}` : "";
  const nice = step.nice === 0 ? "" : `nice -n ${step.nice} `;
  return `${nice}chrt ${policies[step.policy] ?? "-o"}${times} ${step.priority}`;
}

function setpriv(steps: readonly KernelStep[]): string {
  const words = ["setpriv"];
  // Before the last one there may be one that only the seccomp filter needs.
  const capabilities = steps.findLast((step) => step.op === "set-capabilities");
  for (const step of steps) {
    if (step.op === "set-bounding") words.push(`--bounding-set ${capabilityWords(step.mask)}`);
    else if (step.op === "no-new-privileges") words.push("--no-new-privs");
    else if (step.op === "set-security-label") words.push(labelOption(step));
    else if (step === capabilities && step.op === "set-capabilities")
      words.push(
        `--inh-caps ${capabilityWords(step.inheritable)}`,
        `--ambient-caps ${capabilityWords(step.ambient)}`,
      );
    else if (step.op === "set-user")
      words.push(
        `--reuid ${step.uid} --regid ${step.gid}`,
        step.additionalGids.length === 0 ? "--clear-groups" : `--groups ${step.additionalGids.join(",")}`,
      );
  }
  return words.join(" ");
}

/** `-all,+chown`: capabilities as setpriv(1) counts them. */
const capabilityWords = (mask: bigint) =>
  ["-all", ...capabilitiesOf(mask).map((name) => `+${name.replace(/^CAP_/, "").toLowerCase()}`)].join(",");

const labelOption = ({ file, label }: StepOf<"set-security-label">) =>
  file.startsWith("apparmor/")
    ? `--apparmor-profile ${quote(label.replace(/^exec /, ""))}`
    : `--selinux-label ${quote(label)}`;

const environment = (step: KernelStep): string[] =>
  step.op === "exec" ? [["env -i", ...step.env.map(quote)].join(" ")] : [];
