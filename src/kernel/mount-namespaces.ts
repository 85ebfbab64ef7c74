import { closeSync, constants, openSync } from "node:fs";
import { MOUNT_ATTR_RDONLY, setMountAttributes } from "./mounts.ts";
import { O_PATH } from "./openat2.ts";
import { AT_FDCWD, call } from "./syscall.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;

/**
 * Makes the root mount of process `pid` read-only. mount_setattr(2) only changes mounts of the caller's own namespace, so that this
 * thread goes there and comes back; from then on its working directory is its own, not that of the other threads.
 */
export function makeRootReadOnly(pid: number): void {
  inMountNamespace(pid, () => setMountAttributes(AT_FDCWD, "/", 0, { set: MOUNT_ATTR_RDONLY, clear: 0 }));
}

function inMountNamespace(pid: number, act: () => void): void {
  const flags = O_PATH | constants.O_DIRECTORY;
  const fds = [`/proc/${pid}/ns/mnt`, "/proc/self/ns/mnt"].map((path) => openSync(path, "r"));
  fds.push(openSync("/", flags), openSync(".", flags));
  const [there = -1, here = -1, root = -1, directory = -1] = fds;
  try {
    call("unshare", "leave the shared working directory", CLONE_FS); // setns(2): EINVAL while it is shared
    call("setns", `join the mount namespace of process ${pid}`, there, CLONE_NEWNS);
    try {
      act();
    } finally {
      // setns(2) moves to the root of the namespace, which need not be that of this process.
      call("setns", "return to the own mount namespace", here, CLONE_NEWNS);
      call("fchdir", "return to the own root", root);
      call("chroot", "return to the own root", ".");
      call("fchdir", "return to the working directory", directory);
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
