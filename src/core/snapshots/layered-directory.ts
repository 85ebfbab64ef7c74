import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { PlatformError } from "../../errors/platform-error.ts";
import { type ByteString, bytesOf } from "../../formats/tar/byte-string.ts";
import { bytePath } from "../../kernel/files.ts";
import { getXattr } from "../../kernel/xattrs.ts";
import { opaqueXattr } from "../unpack/whiteout.ts";
import type { RootForm } from "./contract.ts";
import { treeCalls } from "./tree-calls.ts";

/** What one layer has under a name. */
export interface LayerEntry {
  readonly status: BigIntStats;
  /** Good while its directory is open; the last component may be anything by now: open it with O_NOFOLLOW. */
  readonly path: Buffer;
}

/** A name of a directory as a container sees it. */
export interface LayeredEntry extends LayerEntry {
  readonly name: ByteString;
  /** Of a directory: the layers' directories that make it up, top first; else empty. */
  readonly parts: readonly LayerEntry[];
  /** Whether layers below the last part were cut off. */
  readonly isOpaque: boolean;
}

/**
 * One directory in a stack of overlay layers, read without a mount: the same directory in each layer that has it.
 * A container may change the top at any time; no symbolic link that it puts there is followed.
 */
export class LayeredDirectory implements AsyncDisposable {
  private constructor(
    private readonly descriptors: readonly number[],
    private readonly form: RootForm,
  ) {}

  /** `paths`: top first. What is no directory any more is left out. */
  static async open(paths: readonly (string | Buffer)[], form: RootForm): Promise<LayeredDirectory> {
    const descriptors: number[] = [];
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const directory = new LayeredDirectory(descriptors, form);
    try {
      for (const path of paths) {
        const fd = await unlessAbsent(() => treeCalls.open(path, flags));
        if (fd !== undefined) descriptors.push(fd);
      }
      return directory;
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** All names in any of the layers, also of what is hidden; in the order of their bytes. */
  async names(): Promise<ByteString[]> {
    const names = new Set<ByteString>();
    for (const fd of this.descriptors) {
      for (const name of await treeCalls.names(`/proc/self/fd/${fd}`)) names.add(name.toString("latin1"));
    }
    return [...names].sort();
  }

  /** Undefined for what is not there, or hidden by a whiteout. */
  async find(name: ByteString): Promise<LayeredEntry | undefined> {
    let top: LayerEntry | undefined;
    const parts: LayerEntry[] = [];
    let isCut = false;
    for (const fd of this.descriptors) {
      const path = pathIn(fd, name);
      const status = await unlessAbsent(() => treeCalls.status(path));
      if (status === undefined) continue;
      if (this.form !== "copy" && isWhiteout(status)) break;
      top ??= { status, path };
      if (!status.isDirectory()) break;
      parts.push({ status, path });
      isCut = this.form !== "copy" && isOpaque(path, opaqueXattr[this.form]);
      if (isCut) break;
    }
    return top && { ...top, name, parts, isOpaque: isCut };
  }

  /** Whether the top layer says that the name is gone. */
  async isWhiteout(name: ByteString): Promise<boolean> {
    const [top] = this.descriptors;
    if (top === undefined) return false;
    const status = await unlessAbsent(() => treeCalls.status(pathIn(top, name)));
    return this.form !== "copy" && status !== undefined && isWhiteout(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fd of this.descriptors) await treeCalls.close(fd);
  }
}

const pathIn = (fd: number, name: ByteString): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), bytesOf(name)]);

/** Overlayfs keeps "this is gone" as a device 0/0. */
export const isWhiteout = (status: BigIntStats): boolean => status.isCharacterDevice() && status.rdev === 0n;

const notOpaque = new Set(["errno.ENOENT", "errno.ENOTDIR", "errno.EOPNOTSUPP", "errno.ENOTSUP"]);

/** Overlayfs: nothing of the layers below is in this directory. */
export function isOpaque(path: Buffer, opaque: string): boolean {
  try {
    return getXattr(bytePath(path), opaque)?.[0] === "y".charCodeAt(0);
  } catch (error) {
    // Gone meanwhile, or on a file system that cannot say so.
    if (error instanceof PlatformError && notOpaque.has(error.code ?? "")) return false;
    throw error;
  }
}

/** Undefined for a thing that went away between the look and the use. */
export async function unlessAbsent<T>(look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}
