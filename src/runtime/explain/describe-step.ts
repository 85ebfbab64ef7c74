import type { KernelStep, MountAttributes } from "../../kernel/steps.ts";
import { capabilitiesOf } from "../capabilities.ts";
import {
  formatFlags,
  maskList,
  memoryPolicyWord,
  mountAttributeNames,
  propagationWord,
} from "./flag-names.ts";
import { quoteAll } from "./shell-words.ts";

/** One line in plain words for what a step does. */
export function describeStep(step: KernelStep): string {
  // The table has for each operation a function of just that operation, which TypeScript cannot follow through an index.
  const describe = descriptions[step.op] as (step: KernelStep) => string;
  return describe(step);
}

type StepOf<Op extends KernelStep["op"]> = Extract<KernelStep, { op: Op }>;

const descriptions: { readonly [Op in KernelStep["op"]]: (step: StepOf<Op>) => string } = {
  "make-cgroup": (step) => `make cgroup ${step.path}`,
  "start-unit": (step) =>
    `have systemd start unit ${step.unit} with ${step.properties.map(({ name }) => name).join(", ")}`,
  "inherit-cpuset": (step) =>
    `give ${step.path} the processors and memory nodes of its parent, if it has none`,
  "enable-controllers": (step) => `enable ${step.controllers.join(", ")} for the cgroups below ${step.path}`,
  "write-cgroup": (step) =>
    `write ${step.value} to ${step.file}${step.optional === true ? ", if it exists" : ""}`,
  "attach-device-filter": (step) =>
    `attach a device filter of ${step.program.length / 8} BPF instructions to ${step.path}`,
  "join-namespace": (step) => `join the ${step.namespace} namespace ${step.path}`,
  clone: (step) =>
    step.namespaces.length === 0
      ? "make the process"
      : `make the process in new namespaces: ${step.namespaces.join(", ")}`,
  "write-id-map": (step) =>
    `map ${step.kind}s: ${describeIdMap(step.map)}${step.tool === undefined ? "" : `, by ${step.tool}`}`,
  "write-time-offset": (step) =>
    `shift the ${step.clock} clock by ${step.secs}.${String(step.nanosecs).padStart(9, "0")} s`,
  "join-cgroup": (step) => `join cgroup ${step.file.replace(/\/[^/]*$/, "")}`,
  "unshare-cgroup": () => "make a new cgroup namespace, whose root is that cgroup",
  "set-propagation": (step) => `make mounts of ${step.target} ${propagationWord(step.flags)}`,
  "open-root": (step) => `take ${step.source} as root`,
  mount: (step) =>
    `mount ${step.fstype} on ${step.target}${options(formatFlags(step.attributes, mountAttributeNames), step.data)}${step.copyUp === true ? ", with a copy of what is there" : ""}`,
  bind: (step) => describeBind(step),
  remount: (step) =>
    `change ${step.target}${step.recursive ? " and mounts below" : ""}: ${changes(step.attributes)}`,
  "mask-path": (step) => `hide ${step.path}`,
  "readonly-path": (step) => `make ${step.path} read-only`,
  "pivot-root": (step) =>
    step.method === "pivot" ? "make the root / (pivot_root)" : "make the root / (move and chroot)",
  "make-root-readonly": () => "make / read-only",
  "make-device": (step) =>
    step.kind === "p"
      ? `make FIFO ${step.path}, mode ${octal(step.mode)}, owner ${step.uid}:${step.gid}`
      : `make ${kindWord(step.kind)} device ${step.path} ${step.major}:${step.minor}, mode ${octal(step.mode)}, owner ${step.uid}:${step.gid}`,
  "bind-device": (step) =>
    `bind the host's ${kindWord(step.kind)} device ${step.source} ${step.major}:${step.minor} on ${step.path}`,
  symlink: (step) => `link ${step.path} to ${step.to}`,
  console: (step) =>
    `open a terminal as /dev/console${step.rows > 0 ? `, ${step.rows} rows of ${step.columns} columns` : ""}`,
  "set-hostname": (step) => `set the host name ${step.name}`,
  "set-domainname": (step) => `set the domain name ${step.name}`,
  "set-sysctl": (step) =>
    `set kernel parameter ${step.key} = ${step.value}${step.optional === true ? ", if it exists" : ""}`,
  "bring-up-loopback": () => "bring up the loopback interface",
  hook: (step) =>
    `run hook ${step.kind}: ${quoteAll(step.args)} in the ${step.where}'s namespaces${step.timeoutMs > 0 ? `, for at most ${step.timeoutMs / 1000} s` : ""}`,
  "new-session": () => "start a session of its own",
  "new-keyring": (step) =>
    `make session keyring ${step.name}${step.required ? "" : ", where the kernel has keys"}`,
  "set-oom-score": (step) => `set oom_score_adj ${step.score}`,
  "set-rlimit": (step) => `limit ${step.name} to ${limitWord(step.soft)}, at most ${limitWord(step.hard)}`,
  "set-personality": (step) =>
    `set personality ${step.domain === 0 ? "LINUX" : step.domain === 8 ? "LINUX32" : step.domain}`,
  "set-scheduler": (step) =>
    `set scheduler policy ${step.policy}, nice ${step.nice}, priority ${step.priority}`,
  "set-io-priority": (step) => `set I/O class ${step.class}, priority ${step.level}`,
  "set-cpu-affinity": (step) => `run on processors ${maskList(step.mask)}`,
  "set-memory-policy": (step) =>
    `take memory by policy ${memoryPolicyWord(step.mode)}${step.nodes.length === 0 ? "" : ` from nodes ${maskList(step.nodes)}`}`,
  "set-security-label": (step) => `write ${step.label} to /proc/self/attr/${step.file}`,
  "set-umask": (step) => `set umask ${octal(step.mask)}`,
  "change-directory": (step) => `go to ${step.path}`,
  "make-directory": (step) =>
    `make directory ${step.path} if missing, mode ${octal(step.mode)}, owner ${step.uid}:${step.gid}`,
  "set-bounding": (step) => `bounding set: ${capabilityWords(step.mask)}`,
  "set-user": (step) =>
    `become user ${step.uid}, group ${step.gid}${step.additionalGids.length > 0 ? `, also groups ${step.additionalGids.join(", ")}` : ""}`,
  "set-capabilities": (step) => describeCapabilities(step),
  "no-new-privileges": () => "forbid new privileges by exec",
  "load-seccomp": (step) => `filter system calls: ${step.program.length / 8} BPF instructions`,
  exec: (step) =>
    `exec ${quoteAll(step.args)} with ${step.env.length} ${step.env.length === 1 ? "variable" : "variables"}`,
};

function describeBind(step: StepOf<"bind">): string {
  const parts = [
    step.attributes.set !== 0 || step.attributes.clear !== 0
      ? `${changes(step.attributes)}${step.attributesRecursive ? " (also below)" : ""}`
      : "",
    step.propagation === 0 ? "" : propagationWord(step.propagation),
    step.idMap === undefined ? "" : `ids mapped ${describeIdMap(step.idMap.uid)}`,
  ];
  return `bind ${step.source} on ${step.target}${step.recursive ? " with mounts below" : ""}${options("", parts.filter(Boolean))}`;
}

const options = (flags: string, words: readonly string[]) => {
  const all = [flags, ...words].filter(Boolean);
  return all.length === 0 ? "" : `, ${all.join(", ")}`;
};

const changes = ({ set, clear }: MountAttributes): string =>
  [
    formatFlags(set, mountAttributeNames),
    clear === 0 ? "" : `no ${formatFlags(clear & ~set, mountAttributeNames)}`,
  ]
    .filter((word) => word !== "" && word !== "no ")
    .join(", ");

function describeCapabilities(step: StepOf<"set-capabilities">): string {
  const { effective, permitted, inheritable, ambient } = step;
  const parts = [
    effective === permitted
      ? `effective and permitted: ${capabilityWords(effective)}`
      : `effective: ${capabilityWords(effective)}; permitted: ${capabilityWords(permitted)}`,
  ];
  if (inheritable !== 0n) parts.push(`inheritable: ${capabilityWords(inheritable)}`);
  if (ambient !== 0n) parts.push(`ambient: ${capabilityWords(ambient)}`);
  return `capabilities ${parts.join("; ")}`;
}

/** `CHOWN, KILL`; a set that lacks only few is said by those. */
function capabilityWords(mask: bigint): string {
  const present = capabilitiesOf(mask);
  if (present.length === 0) return "none";
  const full = (1n << BigInt(mask.toString(2).length)) - 1n;
  const absent = capabilitiesOf(full & ~mask);
  if (present.length > 30) return absent.length === 0 ? "all" : `all but ${short(absent)}`;
  return short(present);
}

const short = (names: readonly string[]) => names.map((name) => name.replace(/^CAP_/, "")).join(" ");
const octal = (mode: number) => `0${mode.toString(8).padStart(3, "0")}`;
const kindWord = (kind: "c" | "b") => (kind === "c" ? "character" : "block");
const limitWord = (value: bigint) => (value === (1n << 64n) - 1n ? "unlimited" : String(value));
const describeIdMap = (map: string) =>
  map
    .trim()
    .split("\n")
    .map((line) => {
      const [inside, outside, size] = line.split(" ");
      return `${inside}+${size} to ${outside}`;
    })
    .join(", ");
