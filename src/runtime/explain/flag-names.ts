import { propagationFlag } from "../plan/mount-options.ts";

/** MOUNT_ATTR_* without that prefix. */
export const mountAttributeNames: readonly (readonly [bit: number, name: string])[] = [
  [0x01, "RDONLY"],
  [0x02, "NOSUID"],
  [0x04, "NODEV"],
  [0x08, "NOEXEC"],
  [0x10, "NOATIME"],
  [0x20, "STRICTATIME"],
  [0x80, "NODIRATIME"],
  [0x200000, "NOSYMFOLLOW"],
];

/** `RDONLY|NOSUID`; bits without a name as one number. */
export function formatFlags(flags: number, names: readonly (readonly [number, string])[]): string {
  const known = names.filter(([bit]) => flags & bit);
  const rest = known.reduce((left, [bit]) => left & ~bit, flags) & ~unnamed;
  return [...known.map(([, name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join("|");
}

/** Part of the access time field, which has two bits with a name. */
const unnamed = 0x40;

/** `rslave`. */
export function propagationWord(flags: number): string {
  const word =
    flags & propagationFlag.SHARED
      ? "shared"
      : flags & propagationFlag.SLAVE
        ? "slave"
        : flags & propagationFlag.PRIVATE
          ? "private"
          : "unbindable";
  return flags & propagationFlag.REC ? `r${word}` : word;
}

/** set_mempolicy(2), in the order of their numbers; the bits above are flags. */
const memoryPolicies = ["default", "preferred", "bind", "interleave", "local", "preferred-many"].concat([
  "weighted-interleave",
]);

export const memoryPolicyWord = (mode: number): string => memoryPolicies[mode & 0xff] ?? String(mode);

/** The numbers whose bits are set, as `0,1,8`. */
export const maskList = (mask: Uint8Array) =>
  Array.from({ length: mask.length * 8 }, (_, cpu) => cpu)
    .filter((cpu) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1)
    .join(",");
