export const blockBytes = 4096;

/** It lies at 1024, whatever comes before it. */
const superblockOffset = 1024;
const magic = 0xe0f5e1e2;
/** The times of inodes are those of content. */
const featureMtime = 2;

/** The first block of an image: everything that names or dates an image stays zero, so that a tree has one image. */
export function formatSuperblock(image: {
  readonly rootNid: number;
  readonly inodes: number;
  readonly blocks: number;
  readonly metadataBlock: number;
}): Buffer {
  const block = Buffer.alloc(blockBytes);
  const at = (offset: number): number => superblockOffset + offset;
  block.writeUInt32LE(magic, at(0));
  block.writeUInt32LE(featureMtime, at(8));
  block.writeUInt8(Math.log2(blockBytes), at(12));
  block.writeUInt16LE(image.rootNid, at(14));
  block.writeBigUInt64LE(BigInt(image.inodes), at(16));
  block.writeUInt32LE(image.blocks, at(36));
  block.writeUInt32LE(image.metadataBlock, at(40));
  return block;
}
