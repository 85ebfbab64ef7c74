import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { type ByteString, bytesOf } from "../../formats/tar/byte-string.ts";
import { bytePath } from "../../kernel/files.ts";
import { getXattr } from "../../kernel/xattrs.ts";
import { opaqueXattr } from "../unpack/whiteout.ts";
import type { RootForm } from "./contract.ts";

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
    private readonly handles: readonly FileHandle[],
    private readonly form: RootForm,
  ) {}

  /** `paths`: top first. What is no directory any more is left out. */
  static async open(paths: readonly (string | Buffer)[], form: RootForm): Promise<LayeredDirectory> {
    const handles: FileHandle[] = [];
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const directory = new LayeredDirectory(handles, form);
    try {
      for (const path of paths) {
        const handle = await open(path, flags).catch(absent);
        if (handle) handles.push(handle);
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
    for (const { fd } of this.handles) {
      const found = await readdir(`/proc/self/fd/${fd}`, { encoding: "buffer" });
      for (const name of found) names.add(name.toString("latin1"));
    }
    return [...names].sort();
  }

  /** Undefined for what is not there, or hidden by a whiteout. */
  async find(name: ByteString): Promise<LayeredEntry | undefined> {
    let top: LayerEntry | undefined;
    const parts: LayerEntry[] = [];
    let isCut = false;
    for (const handle of this.handles) {
      const path = pathIn(handle, name);
      const status = await lstat(path, { bigint: true }).catch(absent);
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
    const [top] = this.handles;
    const status = top && (await lstat(pathIn(top, name), { bigint: true }).catch(absent));
    return this.form !== "copy" && status !== undefined && isWhiteout(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.close()));
  }
}

const pathIn = ({ fd }: FileHandle, name: ByteString): Buffer =>
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

/** A thing that went away between the look and the use. */
export function absent(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
  throw error;
}
