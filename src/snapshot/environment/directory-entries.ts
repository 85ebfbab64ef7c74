const DT_DIR = 4;
const DT_REG = 8;
const DT_LNK = 10;
/** Of struct linux_dirent64: u64 inode, i64 offset, u16 length, u8 type, name. */
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;

/** node:fs's Dirent. */
export class DirectoryEntry {
  constructor(
    readonly name: string,
    private readonly type: number,
  ) {}

  isDirectory(): boolean {
    return this.type === DT_DIR;
  }
  isFile(): boolean {
    return this.type === DT_REG;
  }
  isSymbolicLink(): boolean {
    return this.type === DT_LNK;
  }
}

/** What one getdents64(2) gave, without `.` and `..`. */
export function parseDirectoryEntries(bytes: Buffer): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + LENGTH_AT)) {
    const start = at + NAME_AT;
    const name = bytes.toString("utf8", start, bytes.indexOf(0, start));
    if (name !== "." && name !== "..") entries.push(new DirectoryEntry(name, bytes[at + TYPE_AT] ?? 0));
  }
  return entries;
}
