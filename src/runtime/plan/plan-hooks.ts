import { invalidParameter } from "../../errors/platform-error.ts";
import type { HookKind } from "../../formats/oci-runtime.ts";
import type { Phase } from "../../kernel/steps.ts";
import type { PlanContext } from "./plan-context.ts";
import { plannedState } from "./planned-state.ts";
import { StepList } from "./step-list.ts";

/** Those inside the plan; poststart and poststop are run by the caller, as the container's process exists or is gone then. */
type PlannedHook = Exclude<HookKind, "poststart" | "poststop">;

const hookFacts = {
  prestart: { phase: "setup", where: "runtime", status: "creating" },
  createRuntime: { phase: "setup", where: "runtime", status: "creating" },
  createContainer: { phase: "setup", where: "container", status: "creating" },
  startContainer: { phase: "start", where: "container", status: "created" },
} as const satisfies Record<PlannedHook, { phase: Phase; where: "runtime" | "container"; status: string }>;

/**
 * Plans the hooks of these kinds, in order. Timeout 0 waits for ever.
 *
 * Errors: InvalidParameter for a relative path.
 * Spec:   OCI Runtime Specification, "POSIX-platform Hooks", "State".
 */
export function planHooks(context: PlanContext, kinds: readonly PlannedHook[]) {
  const steps = kinds.flatMap((kind) => {
    const { phase, where, status } = hookFacts[kind];
    const list = new StepList(phase, context.reasonOf);
    for (const [index, hook] of (context.spec.hooks?.[kind] ?? []).entries()) {
      if (!hook.path.startsWith("/"))
        throw invalidParameter(`hooks.${kind}[${index}].path: ${hook.path} is not absolute`);
      list.add(`/hooks/${kind}/${index}`, {
        op: "hook",
        kind,
        path: hook.path,
        args: hook.args ?? [hook.path],
        env: hook.env ?? [],
        timeoutMs: (hook.timeout ?? 0) * 1000,
        where,
        // As runc and crun: a hook may name files of the bundle without their directory.
        ...(where === "runtime" && { directory: context.options.bundle }),
        state: JSON.stringify(plannedState(context.spec, context.options, status)),
      });
    }
    return list.steps;
  });
  return steps;
}
