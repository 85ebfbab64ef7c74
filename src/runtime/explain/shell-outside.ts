import type { KernelStep } from "../../kernel/steps.ts";
import { propagationWord } from "./flag-names.ts";
import { comment, isA, isRuntimeHook, withComment } from "./shell-comment.ts";
import { hookCommand } from "./shell-steps.ts";
import { quote } from "./shell-words.ts";

/** What a second process does from outside, when the first one says that it is so far. */
export function outsidePart(steps: readonly KernelStep[]): string[] {
  const pivot = steps.findIndex(isA("pivot-root"));
  const pivotStep = steps[pivot];
  const afterwards = steps
    .slice(pivot + 1)
    .filter(isA("set-propagation"))
    .filter(({ target }) => target === "/");
  return [
    "read -r pid <&3",
    ...steps
      .filter(isA("join-cgroup", "write-id-map"))
      .flatMap((step) =>
        withComment(step, [
          step.op === "join-cgroup"
            ? `echo "$pid" > ${quote(step.file)}`
            : `printf %s ${quote(step.map)} > "/proc/$pid/${step.kind}_map"`,
        ]),
      ),
    "echo go >&4",
    ...runtimeHooks(steps),
    "read -r pid <&3",
    ...(pivotStep === undefined ? [] : [comment(pivotStep)]),
    'nsenter --target "$pid" --mount --root /bin/sh -c \'cd "$1" && pivot_root . .\' sh "$root"',
    "# The old root lies on the new one: away with it, by a process that has the host's root and sees the container's mounts",
    'in_mounts() { nsenter "--mount=/proc/$pid/ns/mnt" --root=/ "$@"; }',
    'in_mounts umount -l "/proc/$pid/root/"',
    ...afterwards.flatMap((step) =>
      withComment(step, [`in_mounts mount --make-${propagationWord(step.flags)} "/proc/$pid/root/"`]),
    ),
    "echo go >&4",
  ];
}

/** The process has stopped at the place of the first one. */
function runtimeHooks(steps: readonly KernelStep[]): string[] {
  const hooks = steps.filter(isRuntimeHook);
  if (hooks.length === 0) return [];
  const commands = hooks.flatMap((step) => withComment(step, [hookCommand(step)]));
  return ["read -r pid <&3", ...commands, "echo go >&4"];
}
