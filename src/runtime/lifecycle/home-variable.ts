import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { OciProcess } from "../../formats/oci-runtime.ts";
import { O_PATH, RESOLVE_IN_ROOT, tryOpenat2 } from "../../kernel/openat2.ts";
import { resolveUser } from "../users.ts";

/** Larger ones are no user lists: they are there to fill our memory. */
const maximumBytes = 4 * 1024 * 1024;

/**
 * Adds HOME of the process's user to its environment where it has none: from the container's own /etc/passwd, whose links
 * the kernel resolves inside `root`. A user without an entry has `/`.
 */
export function withHome(process: OciProcess, root: string): OciProcess {
  const env = process.env ?? [];
  const given = env.findLast((entry) => entry.startsWith("HOME="));
  if (given !== undefined && given !== "HOME=") return process;
  return { ...process, env: [...env, `HOME=${homeOf(process.user?.uid ?? 0, root)}`] };
}

function homeOf(uid: number, root: string): string {
  try {
    return resolveUser(String(uid), [], { passwd: readPasswd(root), group: "" }).home;
  } catch {
    return "/"; // a damaged line is no reason not to start
  }
}

function readPasswd(root: string): string {
  const directory = openSync(root, O_PATH | constants.O_DIRECTORY);
  // O_NONBLOCK: a FIFO of that name must not hang the runtime.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const fd = tryOpenat2(directory, "etc/passwd", { flags, resolve: RESOLVE_IN_ROOT });
  closeSync(directory);
  if (fd < 0) return "";
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maximumBytes) return "";
    const bytes = Buffer.alloc(stat.size);
    return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
