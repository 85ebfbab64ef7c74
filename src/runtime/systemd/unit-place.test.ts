import { describe, expect, test } from "bun:test";
import { placeUnit, slicePath } from "./unit-place.ts";

const system = { manager: { kind: "system" }, controlGroup: "" } as const;
const user = {
  manager: { kind: "user", runtimeDirectory: "/run/user/1000" },
  controlGroup: "/user.slice/user-1000.slice/user@1000.service",
} as const;

describe("linux.cgroupsPath for systemd", () => {
  test.each([
    [undefined, "runc-c1.scope", "/system.slice/runc-c1.scope"],
    ["", "runc-c1.scope", "/system.slice/runc-c1.scope"],
    [":libpod:c1", "libpod-c1.scope", "/system.slice/libpod-c1.scope"],
    ["machine.slice:libpod:abc", "libpod-abc.scope", "/machine.slice/libpod-abc.scope"],
    [
      "kubepods-burstable-pod1.slice:cri-containerd:abc",
      "cri-containerd-abc.scope",
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-abc.scope",
    ],
    ["a.slice::abc", "abc.scope", "/a.slice/abc.scope"],
    ["-:p:abc", "p-abc.scope", "/p-abc.scope"],
    ["a.slice:ignored:a-b.slice", "a-b.slice", "/a.slice/a-b.slice"],
  ])("%p is unit %s in %s", (cgroupsPath, unit, path) => {
    expect(placeUnit(cgroupsPath, "c1", system)).toMatchObject({ unit, path });
  });

  test("a user's are below the cgroup of their systemd, in user.slice", () => {
    expect(placeUnit(undefined, "c1", user)).toMatchObject({
      slice: "user.slice",
      path: "/user.slice/user-1000.slice/user@1000.service/user.slice/runc-c1.scope",
    });
  });

  test.each(["/absolute", "relative", "a:b", "a:b:c:d", "a.slice:b:", "a.slice:b:c/d", "a/b.slice:p:c"])(
    "%p is refused",
    (cgroupsPath) => {
      expect(() => placeUnit(cgroupsPath, "c1", system)).toThrow("slice:prefix:name");
    },
  );

  test.each([
    "a--b.slice:p:c",
    "-a.slice:p:c",
    "a:p:c",
    ".slice:p:c",
    "a.slice:p:c d",
    "a.slice:p:b--.slice",
  ])("%p names no unit", (cgroupsPath) => {
    expect(() => placeUnit(cgroupsPath, "c1", system)).toThrow("linux.cgroupsPath");
  });
});

test("a slice is inside of those that its dashes say", () => {
  expect(slicePath("a-b-c.slice")).toBe("/a.slice/a-b.slice/a-b-c.slice");
  expect(slicePath("-.slice")).toBe("");
});
