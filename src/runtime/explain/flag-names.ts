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
