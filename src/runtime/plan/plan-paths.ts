import { posix } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import type { PlanContext } from "./plan-context.ts";
import { StepList } from "./step-list.ts";

/**
 * Plans the paths of /proc and /sys which the container may not write or not even see. A path that does not exist is no error.
 *
 * Errors: InvalidParameter for a relative path.
 * Spec:   OCI Runtime Specification, "Masked Paths", "Readonly Paths".
 */
export function planPaths({ linux, reasonOf }: PlanContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  for (const path of linux.readonlyPaths ?? [])
    list.add("/linux/readonlyPaths", { op: "readonly-path", path: absolute(path, "readonlyPaths") });
  for (const path of linux.maskedPaths ?? [])
    list.add("/linux/maskedPaths", { op: "mask-path", path: absolute(path, "maskedPaths") });
  return list.steps;
}

function absolute(path: string, field: string): string {
  if (!path.startsWith("/")) throw invalidParameter(`linux.${field}: ${path} is not absolute`);
  return posix.normalize(path);
}
