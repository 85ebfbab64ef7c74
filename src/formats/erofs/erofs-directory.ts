import { blockBytes } from "./erofs-superblock.ts";

const direntBytes = 12;

export interface Dirent {
  readonly name: Uint8Array;
  readonly nid: number;
  /** FT_* of erofs_fs.h. */
  readonly type: number;
}

/** How many names each block takes; the names sorted by their bytes, `.` and `..` among them. */
function pack<T extends { readonly name: Uint8Array }>(entries: readonly T[]): T[][] {
  const blocks: T[][] = [];
  let used = blockBytes;
  for (const entry of entries) {
    const wanted = direntBytes + entry.name.length;
    if (used + wanted > blockBytes) {
      blocks.push([]);
      used = 0;
    }
    blocks.at(-1)?.push(entry);
    used += wanted;
  }
  return blocks;
}

export const sortNames = <T extends { readonly name: Uint8Array }>(entries: readonly T[]): T[] =>
  entries.toSorted((a, b) => Buffer.compare(a.name, b.name));

/** Bytes of a directory with these sorted names. */
export function directoryBytes(entries: readonly { readonly name: Uint8Array }[]): number {
  const blocks = pack(entries);
  const last = blocks.at(-1) ?? [];
  const lastBytes = last.reduce((sum, { name }) => sum + direntBytes + name.length, 0);
  return Math.max(0, blocks.length - 1) * blockBytes + lastBytes;
}

/** The content of a directory: in each block all entries, then their names. */
export function formatDirectory(entries: readonly Dirent[]): Buffer {
  const content = Buffer.alloc(directoryBytes(entries));
  for (const [number, block] of pack(entries).entries()) {
    const start = number * blockBytes;
    let nameAt = block.length * direntBytes;
    for (const [index, { name, nid, type }] of block.entries()) {
      const at = start + index * direntBytes;
      content.writeBigUInt64LE(BigInt(nid), at);
      content.writeUInt16LE(nameAt, at + 8);
      content.writeUInt8(type, at + 10);
      content.set(name, start + nameAt);
      nameAt += name.length;
    }
  }
  return content;
}
