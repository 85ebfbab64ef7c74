import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { mustRun } from "../tests/fixtures/command.ts";
import { benchmark as archives } from "./archives.ts";
import { type Benchmark, judge, type Verdict } from "./benchmark.ts";
import { benchmark as engineStart } from "./engine-start.ts";
import { benchmark as exec } from "./exec.ts";
import { benchmark as imageList } from "./image-list.ts";
import { benchmark as largePull } from "./large-pull.ts";
import { benchmark as manyStarts } from "./many-starts.ts";
import type { Measurement } from "./measure.ts";
import { benchmark as memory } from "./memory.ts";
import { benchmark as ps } from "./ps.ts";
import { benchmark as pull } from "./pull.ts";
import { benchmark as push } from "./push.ts";
import { benchmark as runContainer } from "./run-container.ts";
import { benchmark as runtime } from "./runtime.ts";
import { World } from "./world.ts";

/**
 * `npm run bench [NAME…]`: measures gantry beside Docker, podman, containerd, runc and crun in one run, prints a
 * table for each benchmark, and writes bench/results/NAME.json. Needs root.
 */
const benchmarks: readonly Benchmark[] = [
  ...[memory, runContainer, exec, ps, manyStarts, engineStart, runtime],
  ...[pull, push, archives, imageList, largePull],
];
const hugetlb = "/sys/fs/cgroup/hugetlb";
const inside = "GANTRY_BENCH_NAMESPACES";

const names = process.argv.slice(2);
if (process.env[inside] === undefined) process.exit(await enterNamespaces());
const chosen = benchmarks.filter(({ name }) => names.length === 0 || names.includes(name));
if (chosen.length === 0)
  throw new Error(`no such benchmark; there are: ${benchmarks.map((it) => it.name).join(" ")}`);
await prepareNamespaces();

const results = join(import.meta.dirname, "results");
mkdirSync(results, { recursive: true });
await using world = await World.start();
for (const { name, promises, run } of chosen) {
  const measurements = await run(world);
  const verdicts = promises.map((promised) => judge(promised, measurements));
  print(name, measurements, verdicts);
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, memoryBytes: totalmem(), kernel: release() };
  const record = { name, date: new Date().toISOString(), machine, measurements, verdicts };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
}

/** Runs this program again where bridges, firewall rules and mounts of everybody end with it. */
async function enterNamespaces(): Promise<number> {
  const isOurs = !existsSync(hugetlb);
  const child = Bun.spawn(["unshare", "--net", "--mount", process.execPath, import.meta.path, ...names], {
    stdio: ["inherit", "inherit", "inherit"],
    env: { ...process.env, [inside]: "1" },
  });
  const exitCode = await child.exited;
  if (isOurs) rmSync(hugetlb, { recursive: true, force: true }); // plain files: it was mounted in there only
  return exitCode;
}

async function prepareNamespaces(): Promise<void> {
  await mustRun(["ip", "link", "set", "lo", "up"]);
  // On a cgroup v1 machine crun wants every controller that the kernel has.
  const script = `
    [ -e /sys/fs/cgroup/cgroup.controllers ] && exit 0
    mountpoint -q ${hugetlb} && exit 0
    mkdir -p ${hugetlb} && mount -t cgroup -o hugetlb cgroup ${hugetlb}`;
  await mustRun(["sh", "-c", script]);
}

function print(name: string, measurements: readonly Measurement[], verdicts: readonly Verdict[]): void {
  console.log(`\n${name}`);
  for (const { name: who, unit, median, best, worst, failure } of measurements) {
    const numbers = [median, best, worst].map((value) => value.toFixed(1).padStart(10)).join("");
    console.log(
      `  ${who.padEnd(26)}${failure === undefined ? `${numbers} ${unit}` : `  failed: ${failure}`}`,
    );
  }
  for (const { what, atMost, measured, kept } of verdicts)
    console.log(`  ${kept ? "kept  " : "MISSED"} ${what}: ${measured.toFixed(3)}, at most ${atMost}`);
}
