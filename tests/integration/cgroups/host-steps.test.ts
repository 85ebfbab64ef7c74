import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import type { OciResources, OciSpec } from "../../../src/formats/oci-runtime.ts";
import { loadDeviceFilter } from "../../../src/kernel/bpf.ts";
import {
  controllerDirectory,
  freezeCgroup,
  killCgroup,
  listProcesses,
  readCgroupUsage,
  removeCgroups,
  thawCgroup,
} from "../../../src/kernel/cgroupfs.ts";
import { executeHostSteps } from "../../../src/kernel/execute-host-steps.ts";
import { detectHost } from "../../../src/kernel/host-facts.ts";
import { defaultDeviceRules } from "../../../src/runtime/defaults.ts";
import { cgroupDirectories } from "../../../src/runtime/plan/cgroup-path.ts";
import { emitDeviceFilter } from "../../../src/runtime/plan/device-filter.ts";
import { resolveDeviceRules } from "../../../src/runtime/plan/device-rules.ts";
import { planContainer } from "../../../src/runtime/plan/plan-container.ts";

const host = detectHost();
const { cgroup } = host;
const isRoot = process.getuid?.() === 0;
const v2 = cgroup.version === 2;
const never = new AbortController().signal;

/** Of this version's file, in the hierarchy of its controller. */
const read = (path: string, controller: string, v1File: string, v2File: string): string =>
  readFileSync(`${controllerDirectory(cgroup, controller, path)}/${v2 ? v2File : v1File}`, "utf8").trim();

describe.skipIf(!isRoot || cgroup.version === 0)("the cgroup of a container", () => {
  const parent = `/gantry-test-${process.pid}`;
  let path = "";
  let count = 0;
  const sleepers: Bun.Subprocess[] = [];

  const planFor = (resources: OciResources = {}) => {
    const spec: OciSpec = {
      ociVersion: "1.3.0",
      root: { path: "/" },
      process: { cwd: "/", args: ["true"] },
      linux: {
        namespaces: [{ type: "mount" }],
        cgroupsPath: path,
        resources: { devices: defaultDeviceRules, ...resources },
      },
    };
    return planContainer(spec, host, { containerId: "test", bundle: "/" });
  };

  /** A process in all of the container's cgroups. */
  const enter = (): Bun.Subprocess => {
    const sleeper = Bun.spawn(["sleep", "600"]);
    sleepers.push(sleeper);
    for (const directory of cgroupDirectories(cgroup, path))
      writeFileSync(`${directory}/cgroup.procs`, String(sleeper.pid));
    return sleeper;
  };

  beforeEach(() => {
    path = `${parent}/${count++}`;
  });
  afterEach(async () => {
    for (const sleeper of sleepers.splice(0)) {
      sleeper.kill("SIGKILL");
      await thawCgroup(cgroup, path, never).catch(() => {});
      await sleeper.exited;
    }
    await removeCgroups(cgroupDirectories(cgroup, parent));
  });

  test("has the limits of the plan", () => {
    executeHostSteps(
      planFor({
        memory: { limit: 64 * 1024 * 1024, swap: 64 * 1024 * 1024 },
        cpu: { quota: 50000, period: 100000, cpus: "0" },
        pids: { limit: 7 },
      }),
    );
    expect(read(path, "memory", "memory.limit_in_bytes", "memory.max")).toBe("67108864");
    expect(read(path, "cpu", "cpu.cfs_quota_us", "cpu.max")).toBe(v2 ? "50000 100000" : "50000");
    expect(read(path, "pids", "pids.max", "pids.max")).toBe("7");
    expect(read(path, "cpuset", "cpuset.cpus", "cpuset.cpus")).toBe("0");
  });

  test("takes a process everywhere, and counts it", () => {
    executeHostSteps(planFor());
    const { pid } = enter();
    for (const directory of cgroupDirectories(cgroup, path)) expect(listProcesses(directory)).toEqual([pid]);
    expect(readCgroupUsage(cgroup, path)).toMatchObject({ pids: 1, oomKills: 0 });
  });

  test.skipIf(v2)("on v1 denies devices that are not listed", () => {
    executeHostSteps(planFor());
    const list = readFileSync(`${controllerDirectory(cgroup, "devices", path)}/devices.list`, "utf8");
    expect(list.trim().split("\n").sort()).toEqual(
      ["b *:* m", "c *:* m", "c 136:* rwm"]
        .concat(["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2"].map((device) => `c ${device} rwm`))
        .sort(),
    );
  });

  test("lets a process open the devices of the list, and no other", async () => {
    executeHostSteps(planFor());
    const open = async (device: string) => {
      const script = 'echo $$ > "$0/cgroup.procs" && : < "$1"';
      const directory = controllerDirectory(cgroup, "devices", path) ?? "";
      const child = Bun.spawn(["sh", "-c", script, directory, device], { stderr: "pipe" });
      return `${await child.exited} ${await new Response(child.stderr).text()}`;
    };
    expect(await open("/dev/zero")).toBe("0 ");
    expect(await open("/dev/kmsg")).toMatch(/Operation not permitted/);
  });

  test("is undone when the kernel refuses a limit, which the error names", () => {
    const missing = `${host.cpuCount + 1000}`;
    expect(() => executeHostSteps(planFor({ cpu: { cpus: missing } }))).toThrow(
      `the kernel refuses config.json linux.resources.cpu.cpus: write ${missing} to`,
    );
    expect(cgroupDirectories(cgroup, path).filter((directory) => existsSync(directory))).toEqual([]);
  });

  test("is undone on demand, once or twice", () => {
    const { undo } = executeHostSteps(planFor());
    undo();
    undo();
    expect(cgroupDirectories(cgroup, path).filter((directory) => existsSync(directory))).toEqual([]);
  });

  test("that an earlier run left is made anew, without its limits", () => {
    executeHostSteps(planFor({ pids: { limit: 3 } }));
    executeHostSteps(planFor());
    expect(read(path, "pids", "pids.max", "pids.max")).toBe("max");
  });

  test("that is in use is a conflict, and stays as it is", () => {
    executeHostSteps(planFor());
    const { pid } = enter();
    expect(() => executeHostSteps(planFor())).toThrow("is in use by another container or process");
    for (const directory of cgroupDirectories(cgroup, path)) expect(listProcesses(directory)).toEqual([pid]);
  });

  test("freezes, thaws and is killed even while frozen", async () => {
    executeHostSteps(planFor());
    const sleeper = enter();
    await freezeCgroup(cgroup, path, never);
    expect(read(path, "freezer", "freezer.state", "cgroup.freeze")).toBe(v2 ? "1" : "FROZEN");
    await thawCgroup(cgroup, path, never);
    expect(read(path, "freezer", "freezer.state", "cgroup.freeze")).toBe(v2 ? "0" : "THAWED");
    await freezeCgroup(cgroup, path, never);
    await killCgroup(cgroup, path, never);
    await sleeper.exited;
    expect(sleeper.signalCode).toBe("SIGKILL");
  });

  test("goes with cgroups which were made inside; a missing one is fine", async () => {
    executeHostSteps(planFor());
    const directories = cgroupDirectories(cgroup, path);
    for (const directory of directories) mkdirSync(`${directory}/inner`);
    await removeCgroups(directories);
    await removeCgroups(directories);
    expect(directories.filter((directory) => existsSync(directory))).toEqual([]);
  });

  test("that stays busy is named, and the others are removed", async () => {
    executeHostSteps(planFor());
    const { pid } = enter();
    const [first = "", ...others] = cgroupDirectories(cgroup, path);
    const root = first.slice(0, -path.length);
    for (const directory of others)
      writeFileSync(`${directory.slice(0, -path.length)}/cgroup.procs`, String(pid));
    await expect(removeCgroups([first, ...others])).rejects.toThrow(
      `remove cgroup ${first}: device or resource busy`,
    );
    expect(others.filter((directory) => existsSync(directory))).toEqual([]);
    writeFileSync(`${root}/cgroup.procs`, String(pid));
    rmdirSync(first);
  });
});

describe.skipIf(!isRoot)("the device filter", () => {
  test("of the default rules passes the verifier", () => {
    const fd = loadDeviceFilter(emitDeviceFilter(resolveDeviceRules(defaultDeviceRules)));
    expect(fd).toBeGreaterThan(2);
    closeSync(fd);
  });

  test("of everything but some passes it, too", () => {
    const rules = [
      { allow: true, access: "rwm" },
      { allow: false, type: "b", major: 8, minor: 0, access: "w" },
      { allow: false, type: "c", major: 10, access: "rwm" },
    ] as const;
    closeSync(loadDeviceFilter(emitDeviceFilter(resolveDeviceRules(rules))));
  });

  test("that is no program is refused in the verifier's words", () => {
    expect(() => loadDeviceFilter(new Uint8Array(16))).toThrow(
      /load the device filter: .*; the verifier says: /,
    );
  });
});
