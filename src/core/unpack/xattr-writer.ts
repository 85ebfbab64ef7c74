import { type ByteString, bytesOf, quoted } from "../../formats/tar/byte-string.ts";
import type { TarEntry } from "../../formats/tar/tar-entry.ts";
import { ENOTSUP, EPERM, trySetXattrOfFd, trySetXattrOfLink } from "../../kernel/file-calls.ts";
import { bytePath } from "../../kernel/files.ts";
import { refusedByKernel } from "./layer-error.ts";
import type { LayerPath } from "./layer-path.ts";
import { kernelName } from "./layer-tree.ts";

/** An open file or directory, or a name that cannot be opened (symlinks, devices). */
export type XattrTarget = { readonly fd: number } | { readonly parentFd: number };

const kept = ["security.capability", "system.posix_acl_access", "system.posix_acl_default"];
const maxWarnings = 20;

/**
 * Whether an attribute of a layer reaches the disk. Never overlayfs' own ones: with them a layer could point anywhere
 * (redirect, origin). Labels of security modules are the host's business.
 */
export function isKeptXattr(name: ByteString): boolean {
  if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) return false;
  return name.startsWith("user.") || name.startsWith("trusted.") || kept.includes(name);
}

export class XattrWriter {
  readonly warnings: string[] = [];

  constructor(private readonly layer: string) {}

  write(entry: TarEntry, path: LayerPath, target: XattrTarget): void {
    for (const [name, value] of entry.xattrs) {
      if (!isKeptXattr(name)) {
        this.#warn(path, name, "is not taken from layers");
        continue;
      }
      const result = set(target, path, name, bytesOf(value));
      // File systems without such attributes, and user.* on anything but files and directories.
      if (result === -ENOTSUP || result === -EPERM)
        this.#warn(path, name, "cannot be kept on this file system");
      else if (result < 0)
        throw refusedByKernel(this.layer, path.path, `set attribute ${quoted(name)}`, -result);
    }
  }

  #warn(path: LayerPath, name: ByteString, what: string): void {
    if (this.warnings.length < maxWarnings) {
      this.warnings.push(`entry ${quoted(path.path)}: attribute ${quoted(name)} ${what}`);
    }
  }
}

function set(target: XattrTarget, path: LayerPath, name: ByteString, value: Uint8Array): number {
  if ("fd" in target) return trySetXattrOfFd(target.fd, kernelName(name), value);
  const place = bytePath(bytesOf(`/proc/self/fd/${target.parentFd}/${path.name}`));
  return trySetXattrOfLink(place, kernelName(name), value);
}
