import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { MNT_DETACH, UMOUNT_NOFOLLOW, unmountAsync } from "../../kernel/mounts.ts";
import { makeNetworkNamespace } from "../../kernel/network-namespaces.ts";
import { isErrno } from "../../kernel/syscall.ts";

/**
 * Network namespaces, each kept alive by a bind mount on a file of one directory. The kernel deletes a namespace, and the
 * interfaces in it, some time after its mount and its last process are gone.
 */
export class NamespaceFiles {
  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
  }

  /** A new namespace with loopback up; returns its path. */
  async create(): Promise<string> {
    const path = join(this.directory, randomBytes(8).toString("hex"));
    await makeNetworkNamespace(path);
    return path;
  }

  /** A missing one is fine. */
  async remove(path: string): Promise<void> {
    try {
      await unmountAsync(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      // EINVAL: a file without a mount, left by a crash between two steps.
      if (!isErrno(error, "EINVAL", "ENOENT")) throw error;
    }
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }

  /** Paths of all of them. */
  list(): string[] {
    return readdirSync(this.directory).map((name) => join(this.directory, name));
  }

  /** Removes the directory if it is empty. */
  async removeDirectory(): Promise<void> {
    if (this.list().length === 0) await rm(this.directory, { recursive: true, force: true });
  }
}
