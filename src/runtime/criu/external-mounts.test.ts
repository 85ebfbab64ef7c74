import { expect, test } from "bun:test";
import type { KernelOperation, Plan } from "../../kernel/steps.ts";
import { externalMounts, mountPointsOnRoot } from "./external-mounts.ts";

const bind = (source: string, target: string, targetKind: "file" | "directory") =>
  ({
    op: "bind",
    source,
    target,
    targetKind,
    recursive: true,
    attributes: { set: 0, clear: 0 },
    attributesRecursive: false,
    propagation: 0,
  }) as const;
const mount = (fstype: string, target: string) =>
  ({ op: "mount", fstype, source: fstype, target, attributes: 0, data: [] }) as const;
const planOf = (...operations: KernelOperation[]): Plan => ({
  steps: operations.map((operation) => ({ phase: "setup", reason: "test", ...operation })),
});

const plan = planOf(
  mount("proc", "/proc"),
  mount("tmpfs", "/dev"),
  mount("devpts", "/dev/pts"),
  bind("/h/hosts", "/etc/hosts", "file"),
  bind("/h/data", "/data", "directory"),
  bind("/h/more", "/data/more", "directory"),
  { op: "mask-path", path: "/proc/kcore" },
  { op: "mask-path", path: "/proc/acpi" },
);

test("binds and masked files are of the host", () => {
  expect(externalMounts(plan, (path) => path === "/proc/kcore")).toEqual([
    { target: "/etc/hosts", source: "/h/hosts" },
    { target: "/data", source: "/h/data" },
    { target: "/data/more", source: "/h/more" },
    { target: "/proc/kcore", source: "/dev/null" },
  ]);
});

test("only what is mounted onto the root itself needs a place there", () => {
  expect(mountPointsOnRoot(plan)).toEqual([
    { path: "/proc", kind: "directory" },
    { path: "/dev", kind: "directory" },
    { path: "/etc/hosts", kind: "file" },
    { path: "/data", kind: "directory" },
  ]);
});

test("an idmapped bind is refused by name", () => {
  const idMapped = { ...bind("/h", "/m", "directory"), idMap: { uid: "0 1 1", gid: "0 1 1" } };
  expect(() => externalMounts(planOf(idMapped), () => true)).toThrow("mount /m: criu does not keep");
});
