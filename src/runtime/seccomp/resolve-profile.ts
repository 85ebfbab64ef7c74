import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciSeccomp, OciSyscallRule } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { nativeAbi, profileArchitecture } from "./architectures.ts";
import type { ProfileRule, RuleCondition, SeccompProfile } from "./profile.ts";

export type ProfileHost = Pick<HostFacts, "architecture" | "kernel">;

/**
 * Resolves a profile for a host and a container's bounding set.
 *
 * The same profile, host and set give the same object again, so that the compiled filter is found by it; profiles are never
 * changed after they were made.
 * Errors: InvalidParameter for a profile that contradicts itself.
 */
export function resolveProfile(
  profile: SeccompProfile,
  bounding: readonly string[],
  host: ProfileHost,
): OciSeccomp {
  let resolved = resolvedProfiles.get(profile);
  if (resolved === undefined) {
    resolved = new Map();
    resolvedProfiles.set(profile, resolved);
  }
  const key = `${host.architecture} ${host.kernel.major}.${host.kernel.minor} ${bounding.join(" ")}`;
  let seccomp = resolved.get(key);
  if (seccomp === undefined) {
    seccomp = resolve(profile, new Set(bounding), host);
    resolved.set(key, seccomp);
  }
  return seccomp;
}

/** A memory of a pure function: dropped with the profile. */
const resolvedProfiles = new WeakMap<SeccompProfile, Map<string, OciSeccomp>>();

function resolve(profile: SeccompProfile, bounding: ReadonlySet<string>, host: ProfileHost): OciSeccomp {
  const { archMap = [], syscalls = [], architectures = [], ...rest } = profile;
  if (archMap.length > 0 && architectures.length > 0)
    throw invalidParameter("use either 'architectures' or 'archMap' in the seccomp profile, not both");
  const rules = syscalls.filter((rule) => isIncluded(rule, bounding, host)).map(withoutConditions);
  return { ...rest, architectures: [...architectures, ...familyOf(archMap, host)], syscalls: rules };
}

function familyOf(archMap: NonNullable<SeccompProfile["archMap"]>, host: ProfileHost): string[] {
  const native = nativeAbi(host.architecture)?.name;
  const family = archMap.find(({ architecture }) => architecture === native);
  return family === undefined ? [] : [family.architecture, ...(family.subArchitectures ?? [])];
}

function isIncluded(
  { includes, excludes }: ProfileRule,
  bounding: ReadonlySet<string>,
  host: ProfileHost,
): boolean {
  const { arches, caps = [], minKernel } = includes ?? {};
  if (arches !== undefined && arches.length > 0 && !arches.includes(profileArchitecture(host.architecture)))
    return false;
  if (!caps.every((name) => bounding.has(name))) return false;
  if (minKernel !== undefined && !isAtLeast(host, minKernel)) return false;
  return excludes === undefined || !isExcluded(excludes, bounding, host);
}

const isExcluded = (
  { arches = [], caps = [], minKernel }: RuleCondition,
  bounding: ReadonlySet<string>,
  host: ProfileHost,
) =>
  arches.includes(profileArchitecture(host.architecture)) ||
  caps.some((name) => bounding.has(name)) ||
  (minKernel !== undefined && isAtLeast(host, minKernel));

function isAtLeast({ kernel }: ProfileHost, version: string): boolean {
  const match = /^(\d+)\.(\d+)$/.exec(version);
  if (match === null) throw invalidParameter(`seccomp profile: minKernel ${version} is no version like 4.8`);
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

function withoutConditions({ names = [], name, action, errnoRet, args }: ProfileRule): OciSyscallRule {
  if (names.length > 0 && name !== undefined && name !== "")
    throw invalidParameter(
      "'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'",
    );
  return {
    names: name === undefined || name === "" ? names : [name],
    action,
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args !== undefined && { args }),
  };
}
