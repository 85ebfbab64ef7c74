import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderPlan } from "../../runtime/explain/render-plan.ts";
import { renderShell } from "../../runtime/explain/render-shell.ts";
import { planContainer } from "../../runtime/plan/plan-container.ts";
import { testHost, versionOne } from "../../runtime/plan/testing/test-host.ts";
import { buildSpec } from "./build-spec.ts";
import type { SpecInput } from "./spec-input.ts";
import { testId, testInput } from "./testing/test-input.ts";

const directory = join(import.meta.dir, "../../../tests/fixtures/plans");
const hostV1 = { ...testHost, cgroup: versionOne };
const netnsPath = "/run/gantry/netns/0";
const limits = { Memory: 268435456, NanoCpus: 1.5e9, PidsLimit: 100 };

const plans: Record<string, SpecInput> = {
  default: testInput({ input: { netnsPath } }),
  "default-v1": testInput({ host: hostV1, input: { netnsPath } }),
  privileged: testInput({
    hostConfig: { Privileged: true },
    input: {
      netnsPath,
      allDevices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 }],
    },
  }),
  "limits-v2": testInput({ hostConfig: limits, input: { netnsPath } }),
  "limits-v1": testInput({ hostConfig: limits, host: hostV1, input: { netnsPath } }),
  tty: testInput({
    config: { Tty: true, Cmd: ["sh"] },
    hostConfig: { ConsoleSize: [24, 80] },
    input: { netnsPath },
  }),
  "user-1000": testInput({ config: { User: "1000:audio", WorkingDir: "/work" }, input: { netnsPath } }),
  "readonly-tmpfs-bind": testInput({
    hostConfig: {
      ReadonlyRootfs: true,
      Tmpfs: { "/run": "size=16m,mode=755" },
      Binds: ["/srv/data:/data:ro", "/srv/up:/up:rslave"],
    },
    input: { netnsPath },
  }),
  "host-network": testInput({
    config: { Cmd: ["top"] },
    hostConfig: { NetworkMode: "host", SecurityOpt: ["no-new-privileges"], CapDrop: ["ALL"], Init: true },
    input: { initPath: "/run/gantry/init" },
  }),
};

const golden = (file: string) => join(directory, file);

/** Of these the shell script is kept too. */
const scripts = ["default", "limits-v1", "user-1000", "readonly-tmpfs-bind", "tty"];

/** With GANTRY_UPDATE_PLANS=1 the files are written anew: the difference is then what to review. */
describe("golden plans", () => {
  test.each(Object.entries(plans))("%s", (name, input) => {
    const { spec, origins } = buildSpec(input);
    const plan = planContainer(spec, input.host, { containerId: testId, bundle: "/bundle", origins });
    expectGolden(renderPlan(plan, "text", { seccomp: spec.linux?.seccomp }), golden(`${name}.txt`));
  });

  test.each(scripts)("%s as a shell script that a shell can read", (name) => {
    const input = plans[name] ?? testInput({});
    const { spec, origins } = buildSpec(input);
    const plan = planContainer(spec, input.host, { containerId: testId, bundle: "/bundle", origins });
    expectGolden(renderShell(plan, { title: `Container ${name}` }), golden(`${name}.sh`));
    expect(Bun.spawnSync(["sh", "-n", golden(`${name}.sh`)]).stderr.toString()).toBe("");
  });
});

function expectGolden(text: string, file: string): void {
  if (process.env.GANTRY_UPDATE_PLANS === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file)).toBe(true);
  expect(text).toBe(readFileSync(file, "utf8"));
}
