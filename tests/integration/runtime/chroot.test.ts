import { describe, expect, test } from "bun:test";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { gantryPath } from "../../fixtures/places.ts";

const reason = runtimeMissing();

describe.skipIf(reason !== undefined)(`a runtime in a chroot${reason ? ` (${reason})` : ""}`, () => {
  test("refuses to run: pivot_root would leave the outer root to whoever enters the container", async () => {
    // The chroot is a mount, with the same files at the same paths.
    const inChroot = 'mount --rbind / /mnt && exec chroot /mnt "$@"';
    await using runtime = await TestRuntime.open([
      ...["unshare", "--mount", "sh", "-c", inChroot, "sh"],
      ...[gantryPath, "runtime"],
    ]);
    const bundle = runtime.bundle(["true"]);
    const { exitCode, stderr } = await runtime.run(["run", "--bundle", bundle, "chrooted"], { cwd: "/" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("the caller's root is a chroot");
    expect(runtime.leftovers()).toEqual([]);
  });
});
