const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFBLK = 0o060000;
const S_IFCHR = 0o020000;

/** node:fs's Stats, from a struct statx (statx(2)). */
export class Stats {
  constructor(private readonly view: DataView) {}

  get uid(): number {
    return this.view.getUint32(20, true);
  }
  get gid(): number {
    return this.view.getUint32(24, true);
  }
  get mode(): number {
    return this.view.getUint16(28, true);
  }
  get ino(): number {
    return Number(this.view.getBigUint64(32, true));
  }
  get size(): number {
    return Number(this.view.getBigInt64(40, true));
  }
  get rdev(): number {
    return this.device(128);
  }
  get dev(): number {
    return this.device(136);
  }

  isFile(): boolean {
    return this.isKind(S_IFREG);
  }
  isDirectory(): boolean {
    return this.isKind(S_IFDIR);
  }
  isSymbolicLink(): boolean {
    return this.isKind(S_IFLNK);
  }
  isBlockDevice(): boolean {
    return this.isKind(S_IFBLK);
  }
  isCharacterDevice(): boolean {
    return this.isKind(S_IFCHR);
  }

  private isKind(kind: number): boolean {
    return (this.mode & S_IFMT) === kind;
  }

  /** makedev(3) for numbers of the size that Linux has today: 12 bits major, 20 bits minor. */
  private device(at: number): number {
    const major = this.view.getUint32(at, true);
    const minor = this.view.getUint32(at + 4, true);
    return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000;
  }
}
