import { invalidParameter, messageOf, notImplemented } from "../../errors/platform-error.ts";
import { parseProfile } from "../../runtime/seccomp/parse-profile.ts";
import type { SeccompProfile } from "../../runtime/seccomp/profile.ts";

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Undefined: the default one. */
  readonly seccomp: SeccompProfile | "unconfined" | undefined;
  /** Undefined: none is asked for. */
  readonly apparmor: string | undefined;
  /** `systempaths=unconfined`: nothing of /proc and /sys is masked or read-only. */
  readonly unconfinedPaths: boolean;
}

/**
 * Reads `SecurityOpt`.
 * Errors: InvalidParameter in Docker's wording; NotImplemented for SELinux labels.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let result: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: undefined,
    apparmor: undefined,
    unconfinedPaths: false,
  };
  for (const option of options) result = { ...result, ...parseOption(option) };
  return result;
}

function parseOption(option: string): Partial<SecurityOptions> {
  if (option === "no-new-privileges") return { noNewPrivileges: true };
  if (option === "disable") return {};
  // A colon is the older separator.
  const [, key, value] = /^([^=:]*)[=:](.*)$/s.exec(option) ?? [];
  if (key === undefined || value === undefined)
    throw invalidParameter(`invalid --security-opt 1: ${JSON.stringify(option)}`);
  switch (key) {
    case "no-new-privileges":
      return { noNewPrivileges: parseBoolean(value, option) };
    case "seccomp":
      return { seccomp: parseSeccomp(value) };
    case "apparmor":
      return { apparmor: value };
    case "label":
      if (value === "disable") return {};
      throw notImplemented(`--security-opt ${option}: SELinux labels are not supported`);
    case "systempaths":
      if (value === "unconfined") return { unconfinedPaths: true };
      throw invalidOption(option);
    default:
      throw invalidOption(option);
  }
}

const invalidOption = (option: string) =>
  invalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);

function parseBoolean(value: string, option: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw invalidOption(option);
}

/** The client sends the file's content. The same text gives the same object, by which the compiled filter is found again. */
function parseSeccomp(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin") return undefined;
  const known = profiles.get(value);
  if (known !== undefined) return known;
  const profile = decodeProfile(value);
  if (profiles.size >= rememberedProfiles) profiles.clear();
  profiles.set(value, profile);
  return profile;
}

/** A memory of a pure function, of bounded size. */
const profiles = new Map<string, SeccompProfile>();
const rememberedProfiles = 16;

function decodeProfile(value: string): SeccompProfile {
  try {
    return parseProfile(value);
  } catch (error) {
    throw invalidParameter(`Decoding seccomp profile failed: ${messageOf(error)}`, { cause: error });
  }
}
