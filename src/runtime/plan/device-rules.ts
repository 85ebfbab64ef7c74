import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciDeviceRule } from "../../formats/oci-runtime.ts";

/** Bits of an access, as the BPF program sees them (BPF_DEVCG_ACC_*). */
export const accessBits = { m: 1, r: 2, w: 4 } as const;

/** Something that differs from the default; `major` and `minor` undefined match all. */
export interface DeviceException {
  readonly type: "b" | "c";
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** A set of `accessBits`. */
  readonly access: number;
  /** JSON pointer of the rule that made it, or undefined for what every container gets. */
  readonly pointer: string | undefined;
}

/** What a list of rules comes to: everything is denied (or allowed), with exceptions. */
export interface DeviceAccess {
  readonly defaultAllow: boolean;
  readonly exceptions: readonly DeviceException[];
  /** JSON pointer of the rule that set the default, if one did. */
  readonly defaultPointer: string | undefined;
}

/**
 * What every container may do, whatever the spec says: make any node (using it is another matter), and use the devices that
 * the specification puts into each /dev, the pseudo terminals and /dev/ptmx. Minor -1: all.
 */
const alwaysAllowed: readonly OciDeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  { allow: true, type: "c", major: 1, minor: 3, access: "rwm" }, // null
  { allow: true, type: "c", major: 1, minor: 5, access: "rwm" }, // zero
  { allow: true, type: "c", major: 1, minor: 7, access: "rwm" }, // full
  { allow: true, type: "c", major: 1, minor: 8, access: "rwm" }, // random
  { allow: true, type: "c", major: 1, minor: 9, access: "rwm" }, // urandom
  { allow: true, type: "c", major: 5, minor: 0, access: "rwm" }, // tty
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" }, // ptmx
  { allow: true, type: "c", major: 136, access: "rwm" }, // pseudo terminals
];

/**
 * Applies the rules in order, a later one wins, and both cgroup versions get the result. A new container starts with
 * everything denied.
 *
 * Errors: InvalidParameter for malformed access; NotImplemented for a rule that takes a part out of a wildcard of an
 *         earlier one, which v1 cannot express: applying it in part would allow more than was asked.
 * Spec:   OCI Runtime Specification, "Allowed Device list"; kernel, cgroup-v1/devices.
 */
export function resolveDeviceRules(rules: readonly OciDeviceRule[]): DeviceAccess {
  let state: MutableAccess = { defaultAllow: false, defaultPointer: undefined, exceptions: new Map() };
  const all = [
    ...rules.map((rule, index) => ({ rule, pointer: `/linux/resources/devices/${index}` })),
    ...alwaysAllowed.map((rule) => ({ rule, pointer: undefined })),
  ];
  for (const { rule, pointer } of all) {
    const access = parseAccess(rule.access ?? "rwm", pointer);
    const major = number(rule.major, maximumMajor, pointer);
    const minor = number(rule.minor, maximumMinor, pointer);
    const everything = access === 7 && major === undefined && minor === undefined;
    const anyType = rule.type === undefined || rule.type === "a";
    if (anyType && everything) {
      state = { defaultAllow: rule.allow, defaultPointer: pointer, exceptions: new Map() };
      continue;
    }
    for (const type of anyType ? (["c", "b"] as const) : ([rule.type === "b" ? "b" : "c"] as const))
      apply(state, rule.allow, { type, major, minor, access, pointer });
  }
  return { ...state, exceptions: [...state.exceptions.values()] };
}

interface MutableAccess {
  defaultAllow: boolean;
  defaultPointer: string | undefined;
  exceptions: Map<string, DeviceException>;
}

/** Errors: InvalidParameter beyond what a device number has: 12 and 20 bits. */
function number(value: number | undefined, maximum: number, pointer: string | undefined): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (value < 0 || value > maximum)
    throw invalidParameter(
      `${placeOf(pointer ?? "")}: ${value} is no ${maximum === maximumMajor ? "major" : "minor"} number`,
    );
  return value;
}

export const maximumMajor = 0xfff;
export const maximumMinor = 0xfffff;

function parseAccess(text: string, pointer: string | undefined): number {
  let bits = 0;
  for (const letter of text) {
    if (letter !== "r" && letter !== "w" && letter !== "m")
      throw invalidParameter(`${placeOf(pointer ?? "")}.access: ${text} is not made of r, w and m`);
    bits |= accessBits[letter];
  }
  return bits;
}

function apply(state: MutableAccess, allow: boolean, rule: DeviceException): void {
  const key = `${rule.type} ${rule.major ?? "*"}:${rule.minor ?? "*"}`;
  const existing = state.exceptions.get(key);
  if (allow !== state.defaultAllow) {
    state.exceptions.set(key, existing ? { ...existing, access: existing.access | rule.access } : rule);
    return;
  }
  for (const [otherKey, other] of state.exceptions) {
    if (covers(rule, other)) reduce(state, otherKey, other, rule.access);
    else if (rule.pointer !== undefined && covers(other, rule) && other.access & rule.access)
      throw notImplemented(
        `${placeOf(rule.pointer)}: ${allow ? "allows" : "denies"} a part of an earlier wildcard rule`,
      );
  }
}

function reduce(state: MutableAccess, key: string, exception: DeviceException, access: number): void {
  const left = exception.access & ~access;
  if (left === 0) state.exceptions.delete(key);
  else state.exceptions.set(key, { ...exception, access: left });
}

const placeOf = (pointer: string) => pointer.slice(1).replaceAll("/", ".");

const covers = (wide: DeviceException, narrow: DeviceException) =>
  wide.type === narrow.type &&
  (wide.major === undefined || wide.major === narrow.major) &&
  (wide.minor === undefined || wide.minor === narrow.minor);

/** `c 1:3 rwm`, as devices.allow takes it. */
export const formatException = ({ type, major, minor, access }: DeviceException): string =>
  `${type} ${major ?? "*"}:${minor ?? "*"} ${formatAccess(access)}`;

/** `rwm`. */
export const formatAccess = (access: number): string =>
  (["r", "w", "m"] as const).filter((letter) => access & accessBits[letter]).join("");
