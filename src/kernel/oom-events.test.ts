import { expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import type { CgroupFacts } from "./cgroup-facts.ts";
import { openOomEvents } from "./oom-events.ts";

/** Of one kind only: other threads of the run open and close files meanwhile. */
const descriptors = (kind: string) => readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).includes(kind));

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // that of the listing
  }
}

test.each([1, 2] as const)("a cgroup of version %p that is gone leaves no descriptor", (version) => {
  const kind = version === 2 ? "inotify" : "eventfd";
  const before = descriptors(kind);
  const rest = { swapAccounting: false, weightFile: undefined, cpusetCpus: "", cpusetMems: "" };
  const hierarchy = { mountPoint: "/nowhere", controllers: ["memory"] };
  const facts: CgroupFacts =
    version === 2
      ? { version, ...hierarchy, ...rest }
      : { version, hierarchies: [hierarchy], unified: undefined, ...rest };
  expect(() => openOomEvents(facts, "/gone")).toThrow("/nowhere/gone");
  expect(descriptors(kind)).toEqual(before);
});
