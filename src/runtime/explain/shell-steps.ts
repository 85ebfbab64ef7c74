import type { KernelStep } from "../../kernel/steps.ts";
import { propagationWord } from "./flag-names.ts";
import { bindCommands, mountCommands, remountCommands } from "./shell-mounts.ts";
import { quote, quoteAll } from "./shell-words.ts";

/** Commands for a step which is carried out where the script has come to; none for what other places of the script do. */
export function stepCommands(step: KernelStep): string[] {
  switch (step.op) {
    case "make-cgroup":
      return [`mkdir -p ${quote(step.path)}`];
    case "inherit-cpuset":
      return ["cpuset.cpus", "cpuset.mems"].map((name) => inheritCommand(step.path, name));
    case "enable-controllers":
      return step.controllers.map(
        (name) => `echo +${quote(name)} > ${quote(`${step.path}/cgroup.subtree_control`)}`,
      );
    case "write-cgroup": {
      return [optionally(step.optional, step.file, echo(step.value, step.file))];
    }
    case "set-propagation":
      return [
        step.target === "/"
          ? `mount --make-${propagationWord(step.flags)} /`
          : `target ${quote(step.target)}; mount --make-${propagationWord(step.flags)} "$t"`,
      ];
    case "open-root":
      return ['mount --rbind "$root" "$root"'];
    case "mount":
      return mountCommands(step);
    case "bind":
      return bindCommands(step);
    case "remount":
      return remountCommands(step);
    case "mask-path":
      return [`hide ${quote(step.path)}`];
    case "readonly-path":
      return [`protect ${quote(step.path)}`];
    case "make-root-readonly":
      return ["t=$root; change ro"];
    case "make-device":
      return deviceCommands(step);
    case "bind-device":
      return [`target ${quote(step.path)} file; mount --bind ${quote(step.source)} "$t"`];
    case "symlink":
      return linkCommands(step.path, step.to);
    case "set-hostname":
      return [`hostname ${quote(step.name)}`];
    case "set-domainname":
      return [`domainname ${quote(step.name)}`];
    case "set-sysctl": {
      const file = `/proc/sys/${step.key.replaceAll(".", "/")}`;
      return [optionally(step.optional, file, echo(step.value, file))];
    }
    case "bring-up-loopback":
      return ["ip link set lo up"];
    case "set-oom-score":
      return [`echo ${step.score} > /proc/self/oom_score_adj`];
    case "set-umask":
      return [`umask ${step.mask.toString(8).padStart(4, "0")}`];
    case "make-directory":
      return [
        `target ${quote(step.path)}`,
        `[ -d "$t" ] || { mkdir -p -- "$t"; chmod ${step.mode.toString(8)} "$t"; chown ${step.uid}:${step.gid} "$t"; }`,
      ];
    case "hook":
      return [hookCommand(step)];
    default:
      return [notDone(step.op)].filter((line) => line !== undefined);
  }
}

/** A shell's echo may read backslashes and options in a value. */
export const echo = (value: string, file: string) =>
  `${/\\|^-[a-zA-Z]/.test(value) ? "printf '%s\\n'" : "echo"} ${quote(value)} > ${quote(file)}`;

const optionally = (optional: boolean | undefined, file: string, command: string) =>
  optional === true ? `[ ! -e ${quote(file)} ] || ${command}` : command;

/** What no plain command does. */
function notDone(op: KernelStep["op"]): string | undefined {
  const reason = {
    "load-seccomp": "seccomp: a shell cannot load a filter, so that all system calls stay allowed",
    "attach-device-filter": "device filter: a shell cannot load BPF, so that mknod'ed devices stay usable",
    "new-keyring": "session keyring: no command of util-linux makes one (keyctl of keyutils does)",
    console: "terminal of its own: the caller's stays; script(1) around this script makes one",
  }[op as string];
  return reason === undefined ? undefined : `# NOT DONE: ${reason}`;
}

function inheritCommand(path: string, name: string): string {
  const file = quote(`${path}/${name}`);
  const parent = quote(`${path.replace(/\/[^/]*$/, "")}/${name}`);
  return `[ -n "$(cat ${file})" ] || cat ${parent} > ${file}`;
}

function deviceCommands(step: Extract<KernelStep, { op: "make-device" }>): string[] {
  const numbers = step.kind === "p" ? "" : ` ${step.major} ${step.minor}`;
  const make = `mknod -m ${step.mode.toString(8)} "$t" ${step.kind}${numbers}`;
  const owner = step.uid === 0 && step.gid === 0 ? "" : `; chown ${step.uid}:${step.gid} "$t"`;
  return [`target ${quote(step.path)}; mkdir -p "\${t%/*}"; [ -e "$t" ] || { ${make}${owner}; }`];
}

function linkCommands(path: string, to: string): string[] {
  const slash = path.lastIndexOf("/");
  return [
    `target ${quote(path.slice(0, slash) || "/")} directory; ln -sfn -- ${quote(to)} "$t"${quote(path.slice(slash))}`,
  ];
}

type Hook = Extract<KernelStep, { op: "hook" }>;

/** Reads the container's state on standard input. `$pid` is the process in the host's PID namespace. */
export function hookCommand(step: Hook): string {
  const timeout = step.timeoutMs > 0 ? `timeout ${step.timeoutMs / 1000} ` : "";
  const directory = step.directory === undefined ? [] : ["-C", step.directory];
  const words = ["env", "-i", ...directory, ...step.env, step.path, ...step.args.slice(1)];
  return `${printState(step)} | ${timeout}${quoteAll(words)}`;
}

/** The same inside the container, where only the shell's own commands are certain. */
export function innerHookCommand(step: Hook): string {
  const variables = step.env.length === 0 ? "" : `export ${quoteAll(step.env)}; `;
  return `${printState(step)} | (${variables}exec ${quoteAll([step.path, ...step.args.slice(1)])}) || exit`;
}

const printState = ({ state }: Hook) =>
  `printf %s ${state
    .split(/(?<="pid":)0/)
    .map(quote)
    .join('"$pid"')}`;
