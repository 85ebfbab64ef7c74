import { host } from "../host.ts";
import { readlinkSync } from "./fs.ts";

/** Numbers of calls without arguments: [x86_64, aarch64]. */
const identityCalls = {
  getpid: [39, 172],
  getuid: [102, 174],
  geteuid: [107, 175],
  getegid: [108, 177],
  getcwd: [79, 17],
} as const;

const PATH_MAX = 4096;
const column = process.arch === "arm64" ? 1 : 0;

const identity = (name: keyof typeof identityCalls): number => host().syscall(identityCalls[name][column]);

/** The part of Node's `process` that the OCI runtime's commands use. */
export const environmentProcess = {
  env: {} as Record<string, string>,
  arch: process.arch, // of the build: the front is of the same
  exitCode: undefined as number | undefined,
  get execPath(): string {
    return readlinkSync("/proc/self/exe");
  },
  get pid(): number {
    return identity("getpid");
  },
  getuid: (): number => identity("getuid"),
  geteuid: (): number => identity("geteuid"),
  getegid: (): number => identity("getegid"),
  cwd(): string {
    const path = Buffer.allocUnsafe(PATH_MAX);
    const length = host().syscall(identityCalls.getcwd[column], path, PATH_MAX);
    if (length < 0) throw Object.assign(new Error("ENOENT: process.cwd failed"), { code: "ENOENT" });
    return path.toString("utf8", 0, length - 1);
  },
};
