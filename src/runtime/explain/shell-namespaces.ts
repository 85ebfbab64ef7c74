import { notImplemented } from "../../errors/platform-error.ts";
import type { KernelStep, NamespaceType } from "../../kernel/steps.ts";
import { comment, isA, withComment } from "./shell-comment.ts";
import { quote, quoteAll } from "./shell-words.ts";

/** unshare(1) and nsenter(1) call the namespaces so. */
const optionOf: Record<NamespaceType, string> = {
  mount: "mount",
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** Puts together the command that makes the namespaces, as `$@`; what is joined first stands outermost. */
export function namespaceCommands(steps: readonly KernelStep[]): string[] {
  const clone = steps.find(isA("clone"));
  const made = clone?.namespaces ?? [];
  const offsets = steps.filter(isA("write-time-offset"));
  const words = [
    ...made.map((namespace) => `--${optionOf[namespace]}`),
    ...(made.includes("user") ? ["--keep-caps"] : []),
    ...(made.includes("mount") ? ["--propagation", "unchanged"] : []),
    ...offsets.map(({ clock, secs }) => `--${clock}=${secs}`),
    ...(made.includes("pid") || made.includes("time") ? ["--fork", "--kill-child"] : []),
  ];
  return [
    ...offsets.map(comment),
    ...(clone === undefined ? [] : [comment(clone)]),
    `set -- unshare ${quoteAll(words)} /bin/sh "$0" inside "$root"`,
    ...steps.filter(isA("join-namespace")).reverse().flatMap(joinCommands),
  ];
}

function joinCommands(step: Extract<KernelStep, { op: "join-namespace" }>): string[] {
  if (step.namespace === "mount")
    throw notImplemented(
      "a shell script cannot join a mount namespace, where the host's programs are missing",
    );
  const join = `set -- nsenter ${quote(`--${optionOf[step.namespace]}=${step.path}`)} "$@"`;
  if (step.namespace !== "network") return withComment(step, [join]);
  return withComment(step, [
    `if [ -e ${quote(step.path)} ]; then ${join}`,
    "# The engine makes it, with an interface on the bridge, when the container starts: here it has loopback only",
    'else set -- unshare --net /bin/sh -c \'ip link set lo up; exec "$@"\' sh "$@"; fi',
  ]);
}
