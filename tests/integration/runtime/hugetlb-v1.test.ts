import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { command } from "../../fixtures/command.ts";

/** cgroups(7): on a host with v1 the controllers of v2 are none, and a controller that nobody mounts can be had. */
function whyNot(): string | undefined {
  const ofVersionTwo = existsSync("/sys/fs/cgroup/cgroup.controllers");
  if (ofVersionTwo || !/^hugetlb\t/m.test(readFileSync("/proc/cgroups", "utf8")))
    return "needs cgroup v1 with hugetlb";
  if (!existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB")) return "needs huge pages of 2 MiB";
  return runtimeMissing();
}
const reason = whyNot();

describe.skipIf(reason !== undefined)(`hugetlb on cgroup v1${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  test("limits of huge pages stand in its files, and go with the container", async () => {
    const limit = 4 << 20;
    const bundle = runtime.bundle(["sleep", "1000"], (spec) => {
      spec.linux.resources = { ...spec.linux.resources, hugepageLimits: [{ pageSize: "2MB", limit }] };
    });
    const mount = join(runtime.directory, "hugetlb");
    mkdirSync(mount);
    // The machine's own mounts stay as they are: the hierarchy is mounted in a namespace of the test.
    const words = `${runtime.argv.join(" ")} --root ${runtime.root}`;
    const files = `${mount}${runtime.cgroupParent}`;
    const script = `
      mount -t cgroup -o hugetlb hugetlb ${mount}
      ${words} run --detach --bundle ${bundle} huge < /dev/null > /dev/null
      cat ${files}/*/hugetlb.2MB.limit_in_bytes ${files}/*/hugetlb.2MB.rsvd.limit_in_bytes
      ${words} delete --force huge
      rmdir ${files}`;
    const result = await command(["unshare", "--mount", "--propagation", "private", "sh", "-euc", script]);
    expect(result).toMatchObject({ exitCode: 0, stdout: `${limit}\n${limit}\n` });
  });
});
