import type { OciSeccomp, OciSyscallRule } from "../../formats/oci-runtime.ts";

/** A profile as Docker users write it: OCI's, with conditions that are resolved for a host and a set of capabilities. */
export interface SeccompProfile extends Omit<OciSeccomp, "syscalls"> {
  readonly archMap?: readonly ArchitectureFamily[];
  readonly syscalls?: readonly ProfileRule[];
}

export interface ArchitectureFamily {
  readonly architecture: string;
  readonly subArchitectures?: readonly string[];
}

export interface ProfileRule extends Omit<OciSyscallRule, "names"> {
  readonly names?: readonly string[];
  /** An older spelling of `names`, for one. */
  readonly name?: string;
  /** The rule counts only if all of these hold. */
  readonly includes?: RuleCondition;
  /** The rule does not count if any of these holds. */
  readonly excludes?: RuleCondition;
}

export interface RuleCondition {
  /** Names with `CAP_`, in the container's bounding set. */
  readonly caps?: readonly string[];
  /** `amd64`, `arm64`: the machine. */
  readonly arches?: readonly string[];
  /** `4.8`: this version or a later one. */
  readonly minKernel?: string;
}
