import { expect, test } from "bun:test";
import { causeInCriuLog } from "./criu-log.ts";

const failed = "(00.783468) Error (criu/cr-dump.c:2053): Dumping FAILED.";

test.each([
  [
    "(00.46) Error (criu/files-reg.c:1710): Can't lookup mount=28 for fd=1 path=/tmp/out\n(00.47) Error (criu/cr-dump.c:1635): Dump files (pid: 164) failed with -1",
    "Can't lookup mount=28 for fd=1 path=/tmp/out",
  ],
  [
    "Error occurred at line: 1\n(00.1) Error (criu/util.c:642): exited, status=2\n(00.2) Error (criu/net.c:3071): Locking network failed",
    "Locking network failed",
  ],
  ["Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds\n", "vdso: Unexpected rt vDSO area bounds"],
  [
    "Error (criu/tun.c:85): tun: Unable to create tun: No such file or directory\nError (criu/kerndat.c:1666): kerndat_has_nftables_concat failed when initializing kerndat.\nError (criu/crtools.c:260): Could not initialize kernel features detection.",
    "kerndat_has_nftables_concat failed when initializing kerndat.",
  ],
  ["(00.001) fine\n", ""],
  ["", ""],
])("%j is because of %j", (text, cause) => {
  expect(causeInCriuLog(text === "" ? text : `(00.0) starts\n${text}`)).toBe(cause);
});

test("only the verdict is better than nothing", () => {
  expect(causeInCriuLog(failed)).toBe("Dumping FAILED.");
});
