import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";

const reason = runtimeMissing();

describe.skipIf(reason !== undefined)(
  `a runtime that is killed in the middle${reason ? ` (${reason})` : ""}`,
  () => {
    let runtime: TestRuntime;
    beforeAll(async () => {
      runtime = await TestRuntime.open();
    });
    afterAll(() => runtime[Symbol.asyncDispose]());

    const argv = (...args: string[]) => [...runtime.argv, "--root", runtime.root, ...args];

    // A hook keeps `create` at a place which it would leave too soon to be killed there.
    test.each(["prestart", "createRuntime", "createContainer"])("while a %s hook runs", async (kind) => {
      const reached = join(runtime.directory, `reached-${kind}`);
      const bundle = runtime.bundle(["true"], (spec) => {
        spec.hooks = {
          [kind]: [{ path: "/bin/sh", args: ["sh", "-c", `echo $$ >${reached}; exec sleep 1000`] }],
        };
      });
      const child = Bun.spawn(argv("create", "--bundle", bundle, "killed"), { stderr: "ignore" });
      while (!existsSync(reached)) await Bun.sleep(5);
      expect((await runtime.state("killed")).status).toBe("creating");
      expect((await runtime.run(["delete", "killed"])).stderr).toContain("that is not stopped: creating");
      child.kill("SIGKILL");
      await child.exited;
      await cleanUpAndTryAgain();
      expect(runtime.leftovers()).toEqual([]);
      // One that runs on the host is its author's, as with runc; inside, it has ended with the container.
      if (kind !== "createContainer") process.kill(Number(readFileSync(reached, "utf8")), "SIGKILL");
    });

    test("at any moment", async () => {
      const bundle = runtime.bundle(["true"]);
      for (let delayMs = 0; delayMs <= 40; delayMs += 1) {
        const child = Bun.spawn(argv("create", "--bundle", bundle, "killed"), {
          stdio: ["ignore", "ignore", "ignore"],
        });
        Bun.sleepSync(delayMs);
        child.kill("SIGKILL");
        await child.exited;
        await runtime.must("delete", "--force", "killed");
        expect(runtime.leftovers()).toEqual([]);
      }
      await cleanUpAndTryAgain();
      expect(runtime.leftovers()).toEqual([]);
    });

    async function cleanUpAndTryAgain(): Promise<void> {
      await runtime.must("delete", "--force", "killed");
      expect(runtime.leftovers()).toEqual([]);
      const again = runtime.bundle(["echo", "well"]);
      expect(await runtime.run(["run", "--bundle", again, "killed"])).toMatchObject({
        exitCode: 0,
        stdout: "well\n",
      });
    }
  },
);
