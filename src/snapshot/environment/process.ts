import { nr } from "../../kernel/syscall.ts";
import { host } from "../host.ts";
import { readlinkSync } from "./fs.ts";

const PATH_MAX = 4096;

/** The part of Node's `process` that the OCI runtime's commands use. */
export const environmentProcess = {
  env: {} as Record<string, string>,
  arch: process.arch, // of the build: the front is of the same
  exitCode: undefined as number | undefined,
  get execPath(): string {
    return readlinkSync("/proc/self/exe");
  },
  get pid(): number {
    return host().syscall(nr.getpid);
  },
  getuid: (): number => host().syscall(nr.getuid),
  geteuid: (): number => host().syscall(nr.geteuid),
  getegid: (): number => host().syscall(nr.getegid),
  cwd(): string {
    const path = Buffer.allocUnsafe(PATH_MAX);
    const length = host().syscall(nr.getcwd, path, PATH_MAX);
    if (length < 0) throw Object.assign(new Error("ENOENT: process.cwd failed"), { code: "ENOENT" });
    return path.toString("utf8", 0, length - 1);
  },
};
