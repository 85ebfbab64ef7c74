import { expect, test } from "bun:test";
import type { OciResources } from "../../formats/oci-runtime.ts";
import { withJointLimits } from "./joint-limits.ts";

const now = { cpuMax: "20000 50000", memoryMax: "67108864" };
const unlimited = { cpuMax: "max 100000", memoryMax: "max" };
const missing = { cpuMax: undefined, memoryMax: undefined };

test.each<[OciResources, typeof now | typeof missing, OciResources]>([
  [{ cpu: { period: 10_000 } }, now, { cpu: { quota: 20_000, period: 10_000 } }],
  [{ cpu: { quota: 30_000 } }, now, { cpu: { quota: 30_000, period: 50_000 } }],
  [{ cpu: { quota: -1 } }, now, { cpu: { quota: -1, period: 50_000 } }],
  [{ cpu: { quota: 0, period: 10_000 } }, now, { cpu: { quota: 20_000, period: 10_000 } }],
  [{ cpu: { quota: 1, period: 2 } }, now, { cpu: { quota: 1, period: 2 } }],
  [{ cpu: { shares: 5 } }, now, { cpu: { shares: 5 } }],
  [{ cpu: { period: 10_000 } }, unlimited, { cpu: { quota: -1, period: 10_000 } }],
  [{ cpu: { period: 10_000 } }, missing, { cpu: { period: 10_000 } }],
  [{ memory: { swap: 1e8 } }, now, { memory: { swap: 1e8, limit: 67_108_864 } }],
  [{ memory: { swap: -1 } }, now, { memory: { swap: -1 } }],
  [{ memory: { swap: 1e8, limit: 1e7 } }, now, { memory: { swap: 1e8, limit: 1e7 } }],
  [{ memory: { swap: 1e8 } }, unlimited, { memory: { swap: 1e8 } }],
  [{ pids: { limit: 3 } }, now, { pids: { limit: 3 } }],
])("%j where %j stands is %j", (asked, files, wanted) => {
  expect(withJointLimits(asked, files)).toEqual(wanted);
});
