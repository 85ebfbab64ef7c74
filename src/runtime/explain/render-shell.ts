import { dirname } from "node:path";
import type { KernelStep, Plan } from "../../kernel/steps.ts";
import {
  comment,
  isA,
  isRuntimeHook,
  isStartHook,
  readPid,
  tellAndWait,
  withComment,
} from "./shell-comment.ts";
import { mountFunctions } from "./shell-mounts.ts";
import { namespaceCommands } from "./shell-namespaces.ts";
import { outsidePart } from "./shell-outside.ts";
import { isOfChain, processChain } from "./shell-process.ts";
import { innerHookCommand, stepCommands } from "./shell-steps.ts";
import { printable, quote, quoteAll } from "./shell-words.ts";

export interface ShellOptions {
  /** What the plan is of: `container web`. */
  readonly title: string;
  /**
   * Directories of which the root consists, the uppermost first, where nobody has mounted them: the script mounts them with a
   * writable layer that lasts as long as it runs. Without it the root directory of the plan is used as it is.
   */
  readonly layers?: readonly string[] | undefined;
}

/**
 * Renders a plan as a POSIX shell script of plain commands (util-linux 2.38, coreutils, iproute2), with a comment for each
 * step: what it does, and why. The script makes a container with the same namespaces, mounts, limits and capabilities; what
 * commands cannot do it says in a comment that begins with `NOT DONE`. Pure.
 *
 * Order: that of the plan, except that pivot_root comes last in phase `setup`. Until then the host's programs are there; what
 * comes before it goes by `$root`. The last shell of the process has everything loaded when its root changes beneath it, since
 * pivot_root(2) moves all processes of the mount namespace: it needs no program of the container but the one it executes.
 *
 * Errors: NotImplemented for a mount namespace to join, in which the host's programs are not to be found.
 */
export function renderShell(plan: Plan, options: ShellOptions): string {
  const { steps } = plan;
  return `${[
    heading(options),
    mountFunctions,
    "",
    'if [ "$#" = 0 ]; then',
    ...hostPart(steps, options),
    "fi",
    ...namespacePart(steps),
    ...setupPart(steps, options),
    ...startPart(steps),
  ].join("\n")}\n`;
}

const heading = ({ title }: ShellOptions) => `#!/bin/sh
# ${printable(title)}, in plain commands: written by \`gantry explain --as shell\`.
# Save it in a file and run it as root: sh FILE. It needs util-linux 2.38, coreutils and iproute2.
# What commands cannot do is marked NOT DONE: read those lines before you trust what the container isolates.
set -eu`;

/** Run by the caller: cgroups, namespaces, and what only a process outside can do. */
function hostPart(steps: readonly KernelStep[], { layers }: ShellOptions): string[] {
  const cgroups = steps.filter(isA("join-cgroup")).map(({ file }) => dirname(file));
  const root = steps.find(isA("open-root"))?.source ?? "/";
  return [
    '[ "$(id -u)" = 0 ] || fail "needs root"',
    "",
    "# == On the host, before the container's process exists",
    ...cgroups.map(
      (path) =>
        `[ ! -e ${quote(path)} ] || fail ${quote(`cgroup ${path} is there: stop the container first`)}`,
    ),
    ...cleanUp(cgroups),
    ...(layers === undefined
      ? [`root=$(realpath -e -- ${quote(root)})`]
      : [
          'mkdir "$work/root" "$work/upper" "$work/work"; chmod 755 "$work/root" "$work/upper"',
          'root=$(realpath -- "$work/root")',
        ]),
    ...steps.filter(({ phase }) => phase === "host").flatMap((step) => withComment(step, stepCommands(step))),
    "",
    "# == Making the process",
    "# Two pipes: the process tells its pid (3), and goes on when it is told to (4)",
    'mkfifo "$work/pid" "$work/go"; exec 3<> "$work/pid" 4<> "$work/go"; rm "$work/pid" "$work/go"',
    "(",
    "  pid=",
    '  trap \'[ $? = 0 ] || [ -z "$pid" ] || kill -KILL "$pid"\' EXIT',
    ...outsidePart(steps).map((line) => `  ${line}`),
    ") &",
    "helper=$!",
    ...namespaceCommands(steps),
    'status=0; "$@" || status=$?',
    'exit "$status"',
  ];
}

/** At the script's end, however it comes to it; on an interrupt when the container has ended too. */
const cleanUp = (cgroups: readonly string[]): string[] => [
  "work=$(mktemp -d); helper=",
  "clean() {",
  '  [ -z "$helper" ] || kill "$helper" 2> /dev/null || :',
  '  rm -rf --one-file-system -- "$work"',
  ...[...cgroups].reverse().map((path) => `  rmdir ${quote(path)} 2> /dev/null || :`),
  "}",
  "trap clean EXIT; trap : INT",
];

/** First thing in the new namespaces: waits until the process is in its cgroup and its ids are mapped. */
function namespacePart(steps: readonly KernelStep[]): string[] {
  const unshare = steps.find(isA("unshare-cgroup"));
  const session = steps.find(isA("new-session"));
  const terminal = steps.some(isA("console"));
  const words = [
    ...(steps.some(isA("write-id-map")) ? ["setpriv --reuid 0 --regid 0 --clear-groups"] : []),
    ...(unshare === undefined ? [] : ["unshare --cgroup"]),
    ...(session === undefined || terminal ? [] : ["setsid"]),
  ];
  return [
    'if [ "$1" = inside ]; then',
    readPid,
    tellAndWait,
    ...[unshare, session].flatMap((step) => (step === undefined ? [] : [comment(step)])),
    ...(terminal ? ["# NOT DONE: the session, since the terminal is the caller's"] : []),
    `exec ${[...words, '/bin/sh "$0" setup "$2"'].join(" ")}`,
    "fi",
    "",
  ];
}

const elsewhere = isA("new-session", "pivot-root");

function setupPart(steps: readonly KernelStep[], { layers }: ShellOptions): string[] {
  const pivot = steps.findIndex(isA("pivot-root"));
  const firstHook = steps.find(isRuntimeHook);
  const lines = ["# == In the new process, before it is created", "root=$2", readPid];
  for (const [index, step] of steps.entries()) {
    if (step === firstHook) lines.push("# The hooks of the runtime run outside", tellAndWait);
    if (step.phase !== "setup" || elsewhere(step) || isRuntimeHook(step)) continue;
    if (step.op === "set-propagation" && step.target === "/" && index > pivot) continue;
    const layered = step.op === "open-root" && layers !== undefined;
    lines.push(...withComment(step, layered ? overlayCommands(layers) : stepCommands(step)));
  }
  return [...lines, ""];
}

/** Next to `$root` the first part of the script made the writable layer. */
const overlayCommands = (layers: readonly string[]): string[] => [
  `layers=${quote(layers.map((path) => path.replace(/[\\:,]/g, "\\$&")).join(":"))}`,
  'work=$(dirname -- "$root")',
  'mount -t overlay -o "lowerdir=$layers,upperdir=$work/upper,workdir=$work/work" overlay "$root"',
];

function startPart(steps: readonly KernelStep[]): string[] {
  const start = steps.filter(({ phase }) => phase === "start");
  const program = start.find(isA("exec"));
  const directory = start.find(isA("change-directory"))?.path ?? "/";
  const hooks = start.filter(isStartHook);
  const before = start.filter((step) => !isOfChain(step) && step.op !== "hook");
  const enter = [
    `${readPid}; ${tellAndWait}; exec 3>&- 4>&-`,
    'cd "$1"; shift',
    ...hooks.map(innerHookCommand),
    // The shell's own, unless the container has one of that name.
    `unset ${["PWD", "OLDPWD", "SHLVL", "_"].filter((name) => !program?.env.some((variable) => variable.startsWith(`${name}=`))).join(" ")}`,
    'exec "$@"',
  ];
  return [
    "# == At start",
    ...before.flatMap((step) => withComment(step, stepCommands(step))),
    ...[...hooks, ...start.filter(isOfChain)].map(comment),
    ...((program?.preserveFds ?? 0) > 0
      ? ["# NOT DONE: descriptors from 3 on, which the script needs itself"]
      : []),
    "# The last shell: tells its pid, waits until its root is the container's, and becomes the program",
    `enter=${quote(enter.join("\n"))}`,
    `exec ${[...processChain(start), `/bin/sh -c "$enter" sh ${quoteAll([directory, ...(program?.args ?? [])])}`].join(" \\\n  ")}`,
  ];
}
