import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { CgroupFacts } from "./cgroup-facts.ts";
import { openOomEvents } from "./oom-events.ts";

test.each([1, 2] as const)("a cgroup of version %p that is gone leaves no descriptor", (version) => {
  const before = readdirSync("/proc/self/fd").length;
  const rest = { swapAccounting: false, weightFile: undefined, cpusetCpus: "", cpusetMems: "" };
  const hierarchy = { mountPoint: "/nowhere", controllers: ["memory"] };
  const facts: CgroupFacts =
    version === 2
      ? { version, ...hierarchy, ...rest }
      : { version, hierarchies: [hierarchy], unified: undefined, ...rest };
  expect(() => openOomEvents(facts, "/gone")).toThrow("/nowhere/gone");
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});
