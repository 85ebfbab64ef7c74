import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unlimited } from "../../kernel/host-facts.ts";
import type { ContainerState } from "./container-state.ts";
import { pressureOf, readContainerStats } from "./container-stats.ts";

let mountPoint: string;
beforeAll(() => {
  mountPoint = mkdtempSync(join(tmpdir(), "gantry-stats-"));
  mkdirSync(join(mountPoint, "box"));
});
afterAll(() => rmSync(mountPoint, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(mountPoint, "box", file), `${text}\n`);

function stats() {
  const facts = { version: 2, mountPoint, controllers: ["memory"], swapAccounting: true } as const;
  const cgroup = { facts: { ...facts, weightFile: undefined, cpusetCpus: "", cpusetMems: "" }, path: "/box" };
  return readContainerStats({ cgroup: { ...cgroup, directories: [] } } as unknown as ContainerState);
}

test("swap of cgroup v2 is told together with memory", () => {
  write("memory.max", "1000");
  write("memory.current", "300");
  write("memory.swap.max", "500");
  write("memory.swap.current", "20");
  expect(stats().memory).toMatchObject({
    usage: { limit: 1000, usage: 300 },
    swap: { limit: 1500, usage: 320 },
  });
  write("memory.swap.max", "max");
  expect(stats().memory).toMatchObject({ swap: { limit: unlimited, usage: 320 } });
});

test("pressure is told where the kernel keeps it", () => {
  const text =
    "some avg10=1.50 avg60=0.20 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7";
  expect(pressureOf(text)).toEqual({
    psi: {
      some: { avg10: 1.5, avg60: 0.2, avg300: 0, total: 12345 },
      full: { avg10: 0, avg60: 0, avg300: 0, total: 7 },
    },
  });
  expect(pressureOf("")).toEqual({});
  for (const file of ["cpu", "memory", "io"]) write(`${file}.pressure`, text);
  expect(stats()).toMatchObject({ cpu: pressureOf(text), memory: pressureOf(text), blkio: pressureOf(text) });
});
