import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { parsePropagation, propagationFlag } from "./mount-options.ts";
import type { PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

/** The steps around the mounts: before them, and after all of /dev is there. */
export interface RootPlan {
  readonly open: readonly KernelStep[];
  readonly pivot: readonly KernelStep[];
  /** Read-only comes last: mount targets and the working directory are made before. */
  readonly seal: readonly KernelStep[];
}

/**
 * Plans how the root directory becomes the container's "/".
 *
 * Errors: InvalidParameter for a missing root or an unknown propagation.
 * Spec:   OCI Runtime Specification, "Root", "Rootfs Mount Propagation"; pivot_root(2).
 */
export function planRoot({ spec, linux, options, reasonOf }: PlanContext): RootPlan {
  if (spec.root === undefined) throw invalidParameter("root: is missing");
  const flags = propagationOf(linux.rootfsPropagation);
  const open = new StepList("setup", reasonOf);
  open.add("/linux/rootfsPropagation", {
    op: "set-propagation",
    target: "/",
    flags: flags === 0 ? propagationFlag.SLAVE | propagationFlag.REC : flags,
  });
  open.add("/root/path", { op: "open-root", source: posix.resolve(options.bundle, spec.root.path) });

  const pivot = new StepList("setup", reasonOf);
  pivot.add("/root/path", { op: "pivot-root", method: options.noPivot === true ? "move" : "pivot" });
  // The kernel refuses to pivot onto a shared mount, so that the wish is fulfilled afterwards.
  if (flags !== 0 && (flags & propagationFlag.PRIVATE) === 0)
    pivot.add("/linux/rootfsPropagation", { op: "set-propagation", target: "/", flags });

  const seal = new StepList("setup", reasonOf);
  if (spec.root.readonly === true) seal.add("/root/readonly", { op: "make-root-readonly" });
  return { open: open.steps, pivot: pivot.steps, seal: seal.steps };
}

function propagationOf(word: string | undefined): number {
  if (word === undefined || word === "") return 0;
  const flags = parsePropagation(word);
  if (flags === undefined) throw invalidParameter(`linux.rootfsPropagation: ${word} is no propagation`);
  return flags;
}
