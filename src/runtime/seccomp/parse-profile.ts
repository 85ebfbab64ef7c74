import { array, integer, object, oneOf, readJson, string, uint64 } from "../../formats/json-shape.ts";
import { type OciSyscallArgument, seccompActions, seccompOperators } from "../../formats/oci-runtime.ts";
import type { ArchitectureFamily, ProfileRule, RuleCondition, SeccompProfile } from "./profile.ts";

const strings = array(string);
const errno = integer(0, 4095);
const condition = object<RuleCondition>({ caps: strings, arches: strings, minKernel: string });

const rule = object<ProfileRule>(
  {
    names: strings,
    name: string,
    action: oneOf(seccompActions),
    errnoRet: errno,
    args: array(
      object<OciSyscallArgument>(
        { index: integer(0, 5), value: uint64, valueTwo: uint64, op: oneOf(seccompOperators) },
        ["index", "value", "op"],
      ),
    ),
    includes: condition,
    excludes: condition,
  },
  ["action"],
);

const profile = object<SeccompProfile>(
  {
    defaultAction: oneOf(seccompActions),
    defaultErrnoRet: errno,
    architectures: strings,
    archMap: array(
      object<ArchitectureFamily>({ architecture: string, subArchitectures: strings }, ["architecture"]),
    ),
    flags: strings,
    listenerPath: string,
    listenerMetadata: string,
    syscalls: array(rule),
  },
  ["defaultAction"],
);

/** Reads a profile file's text. Errors: InvalidParameter naming the place (`syscalls[3].action: …`). */
export function parseProfile(text: string): SeccompProfile {
  return readJson(text, "seccomp profile", profile);
}
