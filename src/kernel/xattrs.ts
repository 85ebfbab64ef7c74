import { addon } from "./addon.ts";
import { errnoNumber } from "./errno.ts";
import type { KernelPath } from "./files.ts";
import { call, check, nr } from "./syscall.ts";

/** Extended attributes of a file or symlink by path (the link itself), or of an open descriptor (not O_PATH). */
export type XattrFile = KernelPath | number;

const ENODATA = errnoNumber("ENODATA") ?? 61;
const ERANGE = errnoNumber("ERANGE") ?? 34;

const nameOf = (file: XattrFile): string =>
  typeof file === "string" ? file : typeof file === "number" ? `descriptor ${file}` : "file";

export function setXattr(file: XattrFile, name: string, value: Uint8Array): void {
  const what = `set attribute ${name} of ${nameOf(file)}`;
  const syscall = typeof file === "number" ? "fsetxattr" : "lsetxattr";
  call(syscall, what, file, name, value.length === 0 ? null : value, value.length, 0);
}

/** Undefined when the file does not have it. */
export function getXattr(file: XattrFile, name: string): Uint8Array | undefined {
  const number = typeof file === "number" ? nr.fgetxattr : nr.lgetxattr;
  const result = readGrowing((buffer) => addon.syscall(number, file, name, buffer, buffer.length));
  if (typeof result !== "number") return result;
  if (result === -ENODATA) return undefined;
  check(result, `read attribute ${name} of ${nameOf(file)}`);
  return undefined;
}

/** Names of all attributes. */
export function listXattrs(file: XattrFile): string[] {
  const number = typeof file === "number" ? nr.flistxattr : nr.llistxattr;
  const result = readGrowing((buffer) => addon.syscall(number, file, buffer, buffer.length));
  if (typeof result === "number") {
    check(result, `list attributes of ${nameOf(file)}`);
    return [];
  }
  return new TextDecoder().decode(result).split("\0").filter(Boolean);
}

export function removeXattr(file: XattrFile, name: string): void {
  const what = `remove attribute ${name} of ${nameOf(file)}`;
  call(typeof file === "number" ? "fremovexattr" : "lremovexattr", what, file, name);
}

/** Most values are small; the largest that the kernel has are 64 KiB. The result or -errno. */
function readGrowing(read: (buffer: Uint8Array) => number): Uint8Array | number {
  const buffer = new Uint8Array(512);
  const length = read(buffer);
  if (length >= 0) return buffer.slice(0, length);
  if (length !== -ERANGE) return length;
  const large = new Uint8Array(65536);
  const largeLength = read(large);
  return largeLength >= 0 ? large.slice(0, largeLength) : largeLength;
}
