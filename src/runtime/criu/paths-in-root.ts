import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { mkdirat } from "../../kernel/files.ts";
import { O_PATH, openat2, RESOLVE_IN_ROOT, tryOpenat2 } from "../../kernel/openat2.ts";
import type { MountPoint } from "./external-mounts.ts";

/** The root of a container, or of one that is to be: links are followed as inside of it. */
export class PathsInRoot implements Disposable {
  private readonly fd: number;
  private readonly seenRoot: string;

  constructor(root: string) {
    this.fd = openSync(root, O_PATH | constants.O_DIRECTORY);
    this.seenRoot = readlinkSync(`/proc/self/fd/${this.fd}`);
  }

  /** Where `path` leads to, without links; `path` itself when it is not there. */
  resolve(path: string): string {
    const fd = tryOpenat2(this.fd, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT });
    if (fd < 0) return path;
    try {
      const found = readlinkSync(`/proc/self/fd/${fd}`);
      return this.seenRoot === "/" ? found : found.slice(this.seenRoot.length) || "/";
    } finally {
      closeSync(fd);
    }
  }

  /** Makes what is missing of a place for a mount. */
  make({ path, kind }: MountPoint): void {
    closeSync(kind === "directory" ? this.directory(path) : this.file(path));
  }

  private directory(path: string): number {
    const how = { flags: O_PATH, resolve: RESOLVE_IN_ROOT };
    const found = tryOpenat2(this.fd, path, how);
    if (found >= 0 || path === "/") return found;
    const parent = this.directory(posix.dirname(path));
    try {
      mkdirat(parent, posix.basename(path), 0o755);
    } finally {
      closeSync(parent);
    }
    return openat2(this.fd, path, how);
  }

  private file(path: string): number {
    const found = tryOpenat2(this.fd, path, { flags: O_PATH, resolve: RESOLVE_IN_ROOT });
    if (found >= 0) return found;
    closeSync(this.directory(posix.dirname(path)));
    const flags = constants.O_WRONLY | constants.O_CREAT;
    return openat2(this.fd, path, { flags, mode: 0o644, resolve: RESOLVE_IN_ROOT });
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
