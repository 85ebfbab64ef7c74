import { closeSync, readFileSync, writeSync } from "node:fs";
import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import { call, check, nr } from "./syscall.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;
const F_SEAL_EXEC = 0x20;
const EINVAL = errnoNumber("EINVAL") ?? 22;

/**
 * An anonymous file with these bytes that nobody can change any more: for messages to a child, and for programs
 * which a container must not overwrite (CVE-2019-5736). Executable as /proc/self/fd/N. Close it when done.
 */
export function sealedMemfd(name: string, bytes: Uint8Array): number {
  const fd = createMemfd(name);
  try {
    for (let written = 0; written < bytes.length; )
      written += writeSync(fd, bytes, written, undefined, written);
    const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    // Since Linux 6.3 the right to execute it can be sealed, too; before, the seal is unknown.
    if (addon.syscall(nr.fcntl, fd, F_ADD_SEALS, seals | F_SEAL_EXEC) !== 0)
      call("fcntl", `seal memory file ${name}`, fd, F_ADD_SEALS, seals);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** True when nobody can take the right to execute this file away, either: then several containers may share it. */
export function hasSealedMode(fd: number): boolean {
  const seals = addon.syscall(nr.fcntl, fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_EXEC) !== 0;
}

/** A sealed copy of a file. */
export function sealedMemfdOf(name: string, path: string): number {
  return sealedMemfd(name, readFileSync(path));
}

/** An empty anonymous file; close it when done. */
export function createMemfd(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Since Linux 6.3 an executable one is asked for; before, the flag is unknown.
  const fd = addon.syscall(nr.memfd_create, name, flags | MFD_EXEC);
  return fd === -EINVAL
    ? call("memfd_create", `create memory file ${name}`, name, flags)
    : check(fd, `create memory file ${name}`);
}
