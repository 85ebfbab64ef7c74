import type { ByteString } from "../../formats/tar/byte-string.ts";
import {
  check,
  O_DIRECTORY,
  O_NOFOLLOW,
  TimesBuffer,
  tryChmodAt,
  tryChownAt,
  tryClose,
  tryOpen,
  tryOpenAt,
  trySetTimes,
  trySetXattrOfFd,
  tryStatAt,
} from "../../kernel/file-calls.ts";
import { O_PATH } from "../../kernel/openat2.ts";
import { getXattr, listXattrs } from "../../kernel/xattrs.ts";
import { kernelName } from "./layer-tree.ts";
import { isKeptXattr } from "./xattr-writer.ts";

export interface Inheritance {
  /** The unpacked layer. */
  readonly directory: string;
  /** Byte strings relative to it; "" is its root. */
  readonly paths: readonly ByteString[];
  /** Unpacked layers below, top first. */
  readonly lower: readonly string[];
  /** Of all these layers. */
  readonly opaqueXattr: string;
}

/**
 * A layer may put `tmp/x` without saying what `tmp` is. The directory made for it would hide owner and mode (say 1777)
 * of the one below, so it gets mode, owner, times and extended attributes of the topmost layer that shows it.
 */
export function inheritAttributes({ directory, paths, lower, opaqueXattr }: Inheritance): void {
  for (const path of paths) {
    const parts = path === "" ? [] : path.split("/");
    const own = findDirectory(directory, parts, opaqueXattr);
    // Below an opaque directory nothing of the layers below is seen: this one is new.
    if (own.fd === undefined) continue;
    try {
      if (!own.opaque) inheritOne(own.fd, parts, lower, opaqueXattr);
    } finally {
      tryClose(own.fd);
    }
  }
}

function inheritOne(
  ownFd: number,
  parts: readonly ByteString[],
  lower: readonly string[],
  opaqueXattr: string,
): void {
  for (const layer of lower) {
    const { fd, opaque, hidden } = findDirectory(layer, parts, opaqueXattr);
    if (fd !== undefined) {
      try {
        copyAttributes(fd, ownFd);
      } finally {
        tryClose(fd);
      }
      return;
    }
    if (opaque || hidden) return;
  }
}

interface Found {
  /** O_PATH; undefined if this layer does not have the directory. */
  readonly fd: number | undefined;
  /** A directory on the way (not the last) hides the same one in the layers below. */
  readonly opaque: boolean;
  /** Something else than a directory is on the way: a whiteout, a file, a symlink. */
  readonly hidden: boolean;
}

/** Walks without following symlinks. */
function findDirectory(layer: string, parts: readonly ByteString[], opaqueXattr: string): Found {
  let fd = check(tryOpen(layer, O_PATH | O_DIRECTORY), `open ${layer}`);
  let opaque = false;
  for (const [at, part] of parts.entries()) {
    if (at > 0) opaque ||= isOpaque(fd, opaqueXattr);
    const next = tryOpenAt(fd, kernelName(part), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const hidden = next < 0 && typeof tryStatAt(fd, kernelName(part)) !== "number";
    tryClose(fd);
    if (next < 0) return { fd: undefined, opaque, hidden };
    fd = next;
  }
  return { fd, opaque, hidden: false };
}

function isOpaque(fd: number, opaqueXattr: string): boolean {
  return getXattr(`/proc/self/fd/${fd}/.`, opaqueXattr)?.[0] === 0x79;
}

function copyAttributes(fromFd: number, toFd: number): void {
  const status = tryStatAt(fromFd, "");
  if (typeof status === "number") {
    check(status, "read attributes of an inherited directory");
    return;
  }
  const what = "set attributes of an inherited directory";
  check(tryChownAt(toFd, "", status.uid, status.gid), what);
  check(tryChmodAt(toFd, ".", status.mode & 0o7777), what);
  const source = `/proc/self/fd/${fromFd}/.`;
  for (const name of listXattrs(source).filter(isKeptXattr)) {
    const value = getXattr(source, name);
    if (value) check(trySetXattrOfFd(toFd, name, value), what);
  }
  const times = new TimesBuffer();
  times.set("access", status.modifySeconds, status.modifyNanoseconds);
  times.set("modify", status.modifySeconds, status.modifyNanoseconds);
  check(trySetTimes(toFd, ".", times), what);
}
