import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { compileProgram } from "../../fixtures/programs/compile.ts";

const reason = process.arch === "x64" ? runtimeMissing() : "needs x86-64, which has a second table of calls";
/** EDOM: no kernel gives it for getppid. */
const strangeErrno = 33;

describe.skipIf(reason !== undefined)(
  `several architectures of a filter${reason ? ` (${reason})` : ""}`,
  () => {
    let runtime: TestRuntime;
    beforeAll(async () => {
      runtime = await TestRuntime.open();
      const target = join(runtime.rootfs, "two-abis");
      copyFileSync(await compileProgram("two-abis"), target);
      chmodSync(target, 0o755);
    });
    afterAll(() => runtime[Symbol.asyncDispose]());

    const run = (seccomp: Record<string, unknown>) => {
      const bundle = runtime.bundle(["/two-abis"], (spec) => {
        spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", ...seccomp };
      });
      return runtime.run(["run", "--bundle", bundle, "abi"]);
    };
    const denied = [{ names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: strangeErrno }];

    test("a rule holds for the calls of each that is named, with their own numbers", async () => {
      const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
      const result = await run({ architectures, syscalls: denied });
      expect(result.stdout).toBe(`native=-${strangeErrno} foreign=-${strangeErrno}\n`);
    });

    test("calls of one that is not named end the process", async () => {
      const result = await run({ architectures: ["SCMP_ARCH_X86_64"], syscalls: denied });
      expect(result.stdout).toBe(`native=-${strangeErrno} `);
      expect(result.exitCode).toBe(128 + 31); // SIGSYS
    });
  },
);
