import { directoryBytes, formatDirectory, sortNames } from "./erofs-directory.ts";
import type { ErofsNode } from "./erofs-node.ts";
import { blockBytes } from "./erofs-superblock.ts";
import { formatErofsXattrs, xattrCount } from "./erofs-xattrs.ts";

/** An inode's number is its place: in units of 32 bytes from the begin of the metadata. */
const nidBytes = 32;
const inodeBytes = 64;
/** i_format: the long form of an inode, with its data in blocks, or its last bytes behind the inode. */
const [plainFormat, inlineFormat] = [0x1, 0x5];

const typeMask = 0o170000;
const [directoryType, regularType, symlinkType] = [0o040000, 0o100000, 0o120000];
/** FT_*, by the type bits of a mode. */
const direntTypes = new Map([
  [regularType, 1],
  [directoryType, 2],
  [0o020000, 3],
  [0o060000, 4],
  [0o010000, 5],
  [0o140000, 6],
  [symlinkType, 7],
]);

const typeOf = ({ mode }: ErofsNode): number => mode & typeMask;
const dot = Buffer.from(".");
const dotDot = Buffer.from("..");

interface Place {
  readonly node: ErofsNode;
  readonly parent: ErofsNode;
  readonly xattrs: Buffer;
  readonly sizeBytes: number;
  /** Kept behind the inode. */
  readonly tailBytes: number;
  readonly offset: number;
}

export interface ErofsMetadata {
  readonly rootNid: number;
  readonly inodes: number;
  /** Blocks of inodes, then those of directories and symlinks that do not fit behind theirs. */
  readonly bytes: Buffer;
}

/**
 * The inodes of a tree and the content of its directories and symlinks. Pure. `firstBlock` is where it will lie in the
 * image: after the blocks of regular files. Errors: as formatErofsXattrs.
 * Spec: Linux, fs/erofs/erofs_fs.h; "EROFS - Enhanced Read-Only File System", "On-disk details".
 */
export function planErofsMetadata(root: ErofsNode, firstBlock: number): ErofsMetadata {
  const places = placeNodes(root);
  const inodesEnd = align(
    [...places.values()].reduce((end, place) => Math.max(end, endOf(place)), 0),
    blockBytes,
  );
  const blocks: Buffer[] = [];
  let nextBlock = firstBlock + inodesEnd / blockBytes;
  const inodes = Buffer.alloc(inodesEnd);
  for (const place of places.values()) {
    const content = contentOf(place, places);
    const ownBlocks = content === undefined ? 0 : Math.ceil((content.length - place.tailBytes) / blockBytes);
    const dataBlock = content === undefined ? place.node.firstBlock : nextBlock;
    writeInode(inodes, place, ownBlocks === 0 && content !== undefined ? 0 : dataBlock);
    if (content === undefined) continue;
    const whole = content.subarray(0, content.length - place.tailBytes);
    inodes.set(content.subarray(whole.length), endOf(place) - place.tailBytes);
    if (ownBlocks === 0) continue;
    blocks.push(whole, Buffer.alloc(ownBlocks * blockBytes - whole.length));
    nextBlock += ownBlocks;
  }
  const rootNid = (places.get(root)?.offset ?? 0) / nidBytes;
  return { rootNid, inodes: places.size, bytes: Buffer.concat([inodes, ...blocks]) };
}

/** Gives every inode its place, the root first: its number has 16 bits only. */
function placeNodes(root: ErofsNode): Map<ErofsNode, Place> {
  const places = new Map<ErofsNode, Place>();
  let next = inodeBytes; // no inode has the number 0
  const pending: { node: ErofsNode; parent: ErofsNode }[] = [{ node: root, parent: root }];
  for (let at = 0; at < pending.length; at++) {
    const { node, parent } = pending[at] ?? { node: root, parent: root };
    if (places.has(node)) continue; // one more name of a file
    const place = placeAt(next, node, parent);
    places.set(node, place);
    next = align(endOf(place), nidBytes);
    for (const entry of node.entries) pending.push({ node: entry.node, parent: node });
  }
  return places;
}

function placeAt(next: number, node: ErofsNode, parent: ErofsNode): Place {
  const xattrs = formatErofsXattrs(node.xattrs);
  const sizeBytes = sizeOf(node);
  // Files begin at a block and stay whole, so that they can be mapped.
  const rest = typeOf(node) === regularType ? 0 : sizeBytes % blockBytes;
  const fits = inodeBytes + xattrs.length + rest <= blockBytes;
  const tailBytes = fits ? rest : 0;
  const wanted = inodeBytes + xattrs.length + tailBytes;
  // What is behind an inode may not go over the end of its block.
  const room = blockBytes - (next % blockBytes);
  const offset = wanted > room ? align(next, blockBytes) : next;
  return { node, parent, xattrs, sizeBytes, tailBytes, offset };
}

const endOf = ({ offset, xattrs, tailBytes }: Place): number =>
  offset + inodeBytes + xattrs.length + tailBytes;

const align = (offset: number, unit: number): number => Math.ceil(offset / unit) * unit;

function sizeOf(node: ErofsNode): number {
  if (typeOf(node) === directoryType) return directoryBytes(namesOf(node));
  if (typeOf(node) === symlinkType) return node.content?.length ?? 0;
  return typeOf(node) === regularType ? node.sizeBytes : 0;
}

const namesOf = (node: ErofsNode): { readonly name: Uint8Array }[] =>
  sortNames([{ name: dot }, { name: dotDot }, ...node.entries]);

/** Undefined for what has none, and for regular files, whose blocks are there. */
function contentOf(place: Place, places: ReadonlyMap<ErofsNode, Place>): Buffer | undefined {
  const { node, parent } = place;
  if (typeOf(node) !== directoryType) {
    return typeOf(node) === symlinkType ? Buffer.from(node.content ?? []) : undefined;
  }
  const dirent = (name: Uint8Array, to: ErofsNode) => ({
    name,
    nid: (places.get(to)?.offset ?? 0) / nidBytes,
    type: direntTypes.get(typeOf(to)) ?? 0,
  });
  const named = node.entries.map(({ name, node: to }) => dirent(name, to));
  return formatDirectory(sortNames([dirent(dot, node), dirent(dotDot, parent), ...named]));
}

function writeInode(to: Buffer, place: Place, dataBlock: number): void {
  const { node, xattrs, sizeBytes, tailBytes, offset } = place;
  const hasData = [regularType, directoryType, symlinkType].includes(typeOf(node));
  to.writeUInt16LE(tailBytes > 0 ? inlineFormat : plainFormat, offset);
  to.writeUInt16LE(xattrCount(xattrs.length), offset + 2);
  to.writeUInt16LE(node.mode, offset + 4);
  to.writeBigUInt64LE(BigInt(sizeBytes), offset + 8);
  to.writeUInt32LE(hasData ? dataBlock : node.device, offset + 16);
  to.writeUInt32LE(offset / nidBytes, offset + 20);
  to.writeUInt32LE(node.uid, offset + 24);
  to.writeUInt32LE(node.gid, offset + 28);
  to.writeBigInt64LE(BigInt(node.mtimeSeconds), offset + 32);
  to.writeUInt32LE(node.mtimeNanoseconds, offset + 40);
  to.writeUInt32LE(node.links, offset + 44);
  xattrs.copy(to, offset + inodeBytes);
}
