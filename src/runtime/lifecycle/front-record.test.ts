import { describe, expect, test } from "bun:test";
import type { ContainerState } from "./container-state.ts";
import { frontRecord } from "./front-record.ts";

const state: ContainerState = {
  version: 1,
  ociVersion: "1.3.0",
  id: "box",
  bundle: '/b "pid": 7,\n  "status": "running"',
  rootfs: "/b/rootfs",
  created: "2026-01-02T03:04:05.000Z",
  ownerUid: 0,
  annotations: {},
  init: { pid: 7, startTime: 99 },
  cgroup: {
    facts: {
      version: 1,
      hierarchies: [
        { controllers: ["freezer"], mountPoint: "/cg/freezer" },
        { controllers: ["pids"], mountPoint: "/cg/pids" },
      ],
      unified: "/cg/unified",
      swapAccounting: false,
      weightFile: undefined,
      cpusetCpus: "0",
      cpusetMems: "0",
    },
    path: "/gantry/box",
    directories: ["/cg/freezer/gantry/box"],
  },
  ownPidNamespace: true,
  hooks: { poststart: [], poststop: [] },
  options: { noPivot: false, noNewKeyring: false, preserveFds: 0 },
};

describe("the front's record of a container", () => {
  test("names what kill and delete touch", () => {
    expect(frontRecord(state)?.split("\0").slice(0, 10)).toEqual([
      "gantry-front-1",
      "7",
      "99",
      "1",
      "1",
      "1",
      "1",
      "/cg/freezer/gantry/box",
      "/cg/pids/gantry/box",
      "/cg/unified/gantry/box",
    ]);
    expect(frontRecord(state)).toEndWith("\x001\0/cg/freezer/gantry/box\0end\0");
  });

  test("holds what state prints around pid and status, whatever the names are", () => {
    const [head, tail] = frontRecord(state)?.split("\0").slice(10, 12) ?? [];
    expect(JSON.parse(`${head}8,\n  "status": "paused${tail}`)).toMatchObject({
      pid: 8,
      status: "paused",
      bundle: state.bundle,
      owner: "root",
    });
  });

  test("says which commands have more to do", () => {
    const hook = { path: "/hook" };
    const plain = (changed: Partial<ContainerState>) =>
      frontRecord({ ...state, ...changed })
        ?.split("\0")
        .slice(4, 6);
    expect(plain({ hooks: { poststart: [hook], poststop: [] } })).toEqual(["0", "1"]);
    expect(plain({ hooks: { poststart: [], poststop: [hook] } })).toEqual(["1", "0"]);
    expect(plain({ notifySocket: "/run/notify" })).toEqual(["0", "0"]);
    expect(plain({ cgroup: { ...state.cgroup, unit: "runc-box.scope" } })).toEqual(["1", "0"]);
  });

  test("is none without a process, and for other users", () => {
    const { init: _, ...draft } = state;
    expect(frontRecord(draft)).toBeUndefined();
    expect(frontRecord({ ...state, ownerUid: 1000 })).toBeUndefined();
  });
});
