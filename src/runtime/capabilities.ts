import { invalidParameter } from "../errors/platform-error.ts";

/** Every capability by number, without `CAP_`: linux/capability.h, up to Linux 6.18. */
const names = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

/** `CAP_CHOWN`, in the order of their numbers. */
export const capabilityNames: readonly string[] = names.map((name) => `CAP_${name}`);

const numbers = new Map(capabilityNames.map((name, number) => [name, number]));

/** The number of `CAP_CHOWN`; undefined for a name that nobody knows. */
export const capabilityNumber = (name: string): number | undefined => numbers.get(name);

export const capabilityBit = (name: string): bigint => {
  const number = numbers.get(name);
  return number === undefined ? 0n : 1n << BigInt(number);
};

/** Docker's and containerd's 14, in Docker's order. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** What a process with this bounding set can give away on a kernel whose highest number is `last`. */
export const availableCapabilities = (bounding: bigint, last: number): readonly string[] =>
  capabilityNames.filter((_, number) => number <= last && (bounding >> BigInt(number)) & 1n);

/** Bit n is capability n. Names that are unknown count nothing. */
export function capabilityMask(capabilities: readonly string[]): bigint {
  let mask = 0n;
  for (const name of capabilities) mask |= capabilityBit(name);
  return mask;
}

/** The names of a mask's bits, by number; bits without a name show as `CAP_41`. */
export function capabilitiesOf(mask: bigint): string[] {
  const found: string[] = [];
  for (let number = 0; mask >> BigInt(number) !== 0n; number++)
    if ((mask >> BigInt(number)) & 1n) found.push(capabilityNames[number] ?? `CAP_${number}`);
  return found;
}

/**
 * What a user may write, in Docker's spelling: any case, with or without `CAP_`; or `ALL`.
 * Errors: InvalidParameter for one that is unknown or not in `available`.
 */
export function normalizeCapability(text: string, available: readonly string[]): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return upper;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!numbers.has(name)) throw invalidParameter(`unknown capability: "${name}"`);
  if (!available.includes(name))
    throw invalidParameter(
      `capability not supported by your kernel or not available in the current environment: "${name}"`,
    );
  return name;
}

/**
 * Applies --cap-add and --cap-drop to a list, as Docker does: `ALL` added starts from everything there is, `ALL` dropped
 * from nothing; what is added by name comes last and therefore wins.
 */
export function adjustCapabilities(
  base: readonly string[],
  add: readonly string[],
  drop: readonly string[],
  available: readonly string[],
): string[] {
  const added = add.map((name) => normalizeCapability(name, available));
  const dropped = new Set(drop.map((name) => (name.toUpperCase() === "ALL" ? "ALL" : known(name))));
  if (added.includes("ALL")) return available.filter((name) => !dropped.has(name));
  const kept = dropped.has("ALL") ? [] : base.filter((name) => !dropped.has(name));
  return [...new Set([...kept, ...added])];
}

/** Dropping what this host does not have is no error. */
const known = (name: string) => normalizeCapability(name, capabilityNames);
