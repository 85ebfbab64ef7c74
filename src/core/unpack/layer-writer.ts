import { type ByteString, quoted } from "../../formats/tar/byte-string.ts";
import type { TarEntry } from "../../formats/tar/tar-entry.ts";
import type { TarHandler } from "../../formats/tar/tar-parser.ts";
import {
  EEXIST,
  ENOENT,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  TimesBuffer,
  tryChmod,
  tryChmodAt,
  tryChownAt,
  tryClose,
  tryLinkAt,
  tryMakeHole,
  tryMkdirAt,
  tryMknodAt,
  tryOpenAt,
  trySetTimes,
  trySymlinkAt,
  tryWrite,
} from "../../kernel/file-calls.ts";
import { deviceNumber, type KernelPath, S_IFBLK, S_IFCHR, S_IFIFO } from "../../kernel/files.ts";
import type { UnpackLimits } from "./contract.ts";
import { badEntry, overLimit, refusedByKernel, tooLarge } from "./layer-error.ts";
import { type LayerPath, layerPath } from "./layer-path.ts";
import { kernelName, type LayerTree } from "./layer-tree.ts";
import { whiteoutOf } from "./whiteout.ts";
import type { XattrWriter } from "./xattr-writer.ts";

const maxId = 2 ** 32 - 2; // 2^32 - 1 means "leave it" to chown(2)
const maxMajor = 0xfff;
const maxMinor = 0xfffff;

const nodeTypes = { "character-device": S_IFCHR, "block-device": S_IFBLK, fifo: S_IFIFO } as const;

/**
 * Turns the entries of a layer into files, in overlay's form, as they come. Synchronous: meant for a Worker.
 * Spec: OCI image-spec, "Image Layer Filesystem Changeset"; Linux, overlayfs, "whiteouts and opaque directories".
 */
export class LayerWriter implements TarHandler {
  #file: { fd: number; entry: TarEntry; path: LayerPath } | undefined;
  #sizeBytes = 0;
  #holeBytes = 0;
  #devices = 0;
  /** Set at the end: making the entries in a directory changes its times. */
  readonly #directories = new Map<ByteString, { path: LayerPath; entry: TarEntry }>();
  readonly #times = new TimesBuffer();

  constructor(
    private readonly layer: string,
    private readonly tree: LayerTree,
    private readonly xattrs: XattrWriter,
    private readonly limits: UnpackLimits,
  ) {}

  /** Bytes of all regular files so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Of these, what sparse files have no data for. */
  get holeBytes(): number {
    return this.#holeBytes;
  }

  entry(entry: TarEntry): void {
    this.tree.countEntry();
    const path = layerPath(entry.path);
    if (path === undefined) throw this.#bad(entry.path, "escape", "its path leads out of the layer");
    if (path.depth > this.limits.pathDepth) {
      throw this.#bad(entry.path, "depth", `lies more than ${this.limits.pathDepth} directories deep`);
    }
    const whiteout = whiteoutOf(path);
    if (whiteout.kind === "none") this.#make(entry, path);
    else if (whiteout.kind === "hide") this.#hide(entry, path, whiteout.name);
    else if (whiteout.kind === "opaque") this.tree.makeOpaque(path.parent, path.path);
    else if (whiteout.kind === "invalid") throw this.#bad(entry.path, "whiteout", "is not a valid whiteout");
  }

  content(slice: Uint8Array): void {
    if (this.#file === undefined) return; // of an entry that is skipped
    const result = tryWrite(this.#file.fd, slice);
    if (result < 0) throw this.#refused(this.#file.path.path, "write", -result);
  }

  hole(sizeBytes: number): void {
    if (this.#file === undefined) return;
    this.#holeBytes += sizeBytes;
    const result = tryMakeHole(this.#file.fd, sizeBytes);
    if (result < 0) throw this.#refused(this.#file.path.path, "make hole", -result);
  }

  entryEnd(): void {
    if (this.#file === undefined) return;
    const { fd, entry, path } = this.#file;
    this.#file = undefined;
    try {
      this.#finishFile(fd, entry, path);
    } finally {
      tryClose(fd);
    }
  }

  /** All entries are there. */
  finish(): void {
    for (const { path, entry } of this.#directories.values()) {
      // One that was replaced later may be gone.
      const parentFd = this.tree.existingDirectory(path.parent, path.path);
      if (parentFd === undefined) continue;
      const name = path.path === "" ? "." : kernelName(path.name);
      const result = trySetTimes(parentFd, name, this.#timesOf(entry));
      if (result < 0 && result !== -ENOENT) throw this.#refused(path.path, "set times", -result);
    }
  }

  /** Releases what a failure left open. */
  close(): void {
    if (this.#file) tryClose(this.#file.fd);
    this.#file = undefined;
  }

  #make(entry: TarEntry, path: LayerPath): void {
    if (entry.uid < 0 || entry.uid > maxId || entry.gid < 0 || entry.gid > maxId) {
      throw this.#bad(path.path, "owner", `owner ${entry.uid}:${entry.gid} is out of range`);
    }
    if (path.path === "" && entry.type !== "directory") {
      throw this.#bad(entry.path, "root", "the root of a layer has to be a directory");
    }
    if (entry.type === "file") this.#beginFile(entry, path);
    else if (entry.type === "directory") this.#makeDirectory(entry, path);
    else if (entry.type === "symlink") this.#makeSymlink(entry, path);
    else if (entry.type === "hardlink") this.#makeHardLink(entry, path);
    // Nobody listens on a socket any more.
    else if (entry.type !== "socket") this.#makeNode(entry, path, nodeTypes[entry.type]);
  }

  /** Runs `create` in the parent of `path`; a thing that is in its way is removed first. */
  #create(path: LayerPath, action: string, create: (parentFd: number, name: KernelPath) => number): number {
    const name = kernelName(path.name);
    let result = create(this.tree.parent(path), name);
    if (result === -EEXIST) {
      this.tree.remove(path);
      this.#directories.delete(path.path);
      result = create(this.tree.parent(path), name);
    }
    if (result < 0) throw this.#refused(path.path, action, -result);
    return result;
  }

  #beginFile(entry: TarEntry, path: LayerPath): void {
    this.#sizeBytes += entry.size;
    if (this.#sizeBytes > this.limits.unpackedBytes) {
      throw tooLarge(this.layer, this.limits.unpackedBytes);
    }
    // O_EXCL: never writes through a link, never into a file that another name shares.
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = this.#create(path, "create", (parentFd, name) => tryOpenAt(parentFd, name, flags, 0o600));
    this.#file = { fd, entry, path };
  }

  /** In this order: writing and chown take setuid and capabilities away, and all of it changes times. */
  #finishFile(fd: number, entry: TarEntry, path: LayerPath): void {
    let result = tryChownAt(fd, "", entry.uid, entry.gid);
    if (result < 0) throw this.#refused(path.path, "change owner", -result);
    result = tryChmod(fd, entry.mode);
    if (result < 0) throw this.#refused(path.path, "change mode", -result);
    if (entry.xattrs.size > 0) this.xattrs.write(entry, path, { fd });
    result = trySetTimes(fd, null, this.#timesOf(entry));
    if (result < 0) throw this.#refused(path.path, "set times", -result);
  }

  #makeDirectory(entry: TarEntry, path: LayerPath): void {
    if (path.path !== "") this.#makeMissingDirectory(path);
    this.tree.describe(path.path);
    this.#directories.set(path.path, { path, entry });
    const parentFd = this.tree.parent(path);
    const name = path.path === "" ? "." : kernelName(path.name);
    this.#setOwner(parentFd, name, entry, path);
    this.#setMode(parentFd, name, entry, path);
    if (entry.xattrs.size > 0)
      this.xattrs.write(entry, path, { fd: this.tree.directory(path.path, path.path) });
  }

  /** An existing directory stays, with what is in it. */
  #makeMissingDirectory(path: LayerPath): void {
    const name = kernelName(path.name);
    const parentFd = this.tree.parent(path);
    let result = tryMkdirAt(parentFd, name, 0o700);
    if (result === -EEXIST) {
      if (this.tree.isDirectory(parentFd, name)) return;
      if (this.tree.isWhiteout(parentFd, name)) {
        this.tree.replaceWhiteout(parentFd, path, path.path);
        return;
      }
      this.tree.remove(path);
      result = tryMkdirAt(this.tree.parent(path), name, 0o700);
    }
    if (result < 0) throw this.#refused(path.path, "make directory", -result);
  }

  #makeSymlink(entry: TarEntry, path: LayerPath): void {
    if (entry.linkPath === "") throw this.#bad(path.path, "link", "symlink without a target");
    const target = kernelName(entry.linkPath);
    this.#create(path, "make symlink", (parentFd, name) => trySymlinkAt(target, parentFd, name));
    this.#setAttributes(entry, path, { hasMode: false });
  }

  #makeHardLink(entry: TarEntry, path: LayerPath): void {
    const target = layerPath(entry.linkPath);
    const link = `hard link to ${quoted(entry.linkPath)}`;
    if (target === undefined) throw this.#bad(path.path, "escape", `${link}, which leads out of the layer`);
    const openTarget = () => this.tree.existingDirectory(target.parent, path.path);
    const targetFd = target.path === "" ? undefined : openTarget();
    if (targetFd === undefined) throw this.#bad(path.path, "link", `${link}, which is not in the layer`);
    if (target.path === path.path) return;
    const name = kernelName(target.name);
    if (this.tree.isDirectory(targetFd, name)) throw this.#bad(path.path, "link", `${link}, a directory`);
    this.#create(path, `make ${link}`, (parentFd, own) => {
      // Opened again: what was in the way may have been above the target.
      const fd = openTarget();
      return fd === undefined ? -ENOENT : tryLinkAt(fd, name, parentFd, own);
    });
  }

  #makeNode(entry: TarEntry, path: LayerPath, type: number): void {
    const isDevice = entry.type !== "fifo";
    if (isDevice && ++this.#devices > this.limits.devices) {
      throw overLimit(this.layer, `more than ${this.limits.devices} devices`);
    }
    const { deviceMajor: major, deviceMinor: minor } = entry;
    if (isDevice && (major < 0 || major > maxMajor || minor < 0 || minor > maxMinor)) {
      throw this.#bad(path.path, "device", `device number ${major}:${minor} is out of range`);
    }
    const device = isDevice ? deviceNumber(major, minor) : 0;
    this.#create(path, `make ${entry.type}`, (parentFd, name) => tryMknodAt(parentFd, name, type, device));
    this.#setAttributes(entry, path, { hasMode: true });
  }

  /** NAME of the layers below is hidden; what this layer itself has there stays, whichever came first. */
  #hide(entry: TarEntry, path: LayerPath, hidden: ByteString): void {
    const parentFd = this.tree.parent(path);
    const name = kernelName(hidden);
    const hiddenPath = path.parent === "" ? hidden : `${path.parent}/${hidden}`;
    const result = this.tree.makeWhiteout(parentFd, hidden);
    if (result === -EEXIST) {
      if (!this.tree.isDirectory(parentFd, name)) return;
      this.tree.makeOpaque(hiddenPath, path.path);
      this.tree.describe(hiddenPath);
      return;
    }
    if (result < 0) throw this.#refused(path.path, "make whiteout", -result);
    if ((entry.uid > 0 || entry.gid > 0) && this.tree.isWhiteout(parentFd, name)) {
      this.#setOwner(parentFd, name, entry, path);
    }
  }

  #setAttributes(entry: TarEntry, path: LayerPath, { hasMode }: { hasMode: boolean }): void {
    const parentFd = this.tree.parent(path);
    const name = kernelName(path.name);
    this.#setOwner(parentFd, name, entry, path);
    if (hasMode) this.#setMode(parentFd, name, entry, path);
    if (entry.xattrs.size > 0) this.xattrs.write(entry, path, { parentFd });
    const result = trySetTimes(parentFd, name, this.#timesOf(entry));
    if (result < 0) throw this.#refused(path.path, "set times", -result);
  }

  #setOwner(parentFd: number, name: KernelPath, entry: TarEntry, path: LayerPath): void {
    const result = tryChownAt(parentFd, name, entry.uid, entry.gid);
    if (result < 0) throw this.#refused(path.path, "change owner", -result);
  }

  /** Only for names that this tree just made or looked at: they are no symlinks, and nobody else writes here. */
  #setMode(parentFd: number, name: KernelPath, entry: TarEntry, path: LayerPath): void {
    const result = tryChmodAt(parentFd, name, entry.mode);
    if (result < 0) throw this.#refused(path.path, "change mode", -result);
  }

  #timesOf(entry: TarEntry): TimesBuffer {
    const atime = entry.atime ?? entry.mtime;
    this.#times.set("access", atime.seconds, atime.nanoseconds);
    this.#times.set("modify", entry.mtime.seconds, entry.mtime.nanoseconds);
    return this.#times;
  }

  #bad(entry: ByteString, reason: string, what: string) {
    return badEntry(this.layer, entry, reason, what);
  }

  #refused(entry: ByteString, action: string, errno: number) {
    return refusedByKernel(this.layer, entry, action, errno);
  }
}
