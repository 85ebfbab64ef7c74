import { describe, expect, test } from "bun:test";
import { parseOciProcess, parseOciResources, parseOciSpec } from "./parse-oci-runtime.ts";

const minimal = {
  ociVersion: "1.0.2",
  root: { path: "rootfs" },
  process: { cwd: "/", args: ["sh"] },
  linux: {},
};
const parse = (value: object) => parseOciSpec(JSON.stringify(value));
const withLinux = (linux: object) => parse({ ...minimal, linux });

describe("a config.json", () => {
  test("keeps what the specification has and drops what it does not know", () => {
    expect(parse({ ...minimal, unknown: 1, process: { ...minimal.process, future: true } })).toEqual(minimal);
  });

  test("may say null for what is absent", () => {
    expect(parse({ ...minimal, mounts: null, hooks: null })).toEqual(minimal);
  });

  test("takes an empty path of a namespace for none", () => {
    const { linux } = withLinux({ namespaces: [{ type: "pid", path: "" }] });
    expect(linux?.namespaces).toEqual([{ type: "pid" }]);
  });

  test("keeps 64-bit numbers exact", () => {
    const text = `{"cwd":"/","rlimits":[{"type":"RLIMIT_CORE","soft":9007199254740993,"hard":18446744073709551615}]}`;
    expect(parseOciProcess(text).rlimits).toEqual([
      { type: "RLIMIT_CORE", soft: 9007199254740993n, hard: (1n << 64n) - 1n },
    ]);
    expect(parseOciResources(`{"memory":{"limit":9223372036854775807,"swap":-1}}`).memory).toEqual({
      limit: (1n << 63n) - 1n,
      swap: -1,
    });
  });
});

describe("what is wrong is named with its place", () => {
  test.each<[string, () => unknown, string]>([
    ["no JSON", () => parseOciSpec("{"), "config.json: not valid JSON"],
    ["no object", () => parseOciSpec("[]"), "the document: expected an object, got an array"],
    ["no version", () => parse({ root: { path: "r" } }), "ociVersion: is missing"],
    ["another version", () => parse({ ...minimal, ociVersion: "2.0.0" }), "2.0.0 is no version 1.x"],
    ["an odd version", () => parse({ ...minimal, ociVersion: "1.0" }), "1.0 is no version 1.x"],
    ["no root", () => parse({ ociVersion: "1.0.0" }), "root: is missing"],
    ["no path", () => parse({ ...minimal, root: {} }), "root.path: is missing"],
    [
      "a text for a number",
      () => withLinux({ resources: { memory: { limit: "1g" } } }),
      'linux.resources.memory.limit: expected a signed 64-bit integer, got "1g"',
    ],
    [
      "a fraction",
      () => withLinux({ resources: { pids: { limit: 1.5 } } }),
      "linux.resources.pids.limit: expected a signed 64-bit integer, got 1.5",
    ],
    [
      "a negative id",
      () => parse({ ...minimal, process: { cwd: "/", user: { uid: -1 } } }),
      "process.user.uid: expected an integer from 0 to 2147483647",
    ],
    [
      "a number for a text",
      () => parse({ ...minimal, mounts: [{ destination: "/a" }, { destination: 5 }] }),
      "mounts[1].destination: expected a string, got 5",
    ],
    [
      "an unknown namespace",
      () => withLinux({ namespaces: [{ type: "net" }] }),
      "linux.namespaces[0].type: expected one of pid, network",
    ],
    [
      "an unknown action",
      () => withLinux({ seccomp: { defaultAction: "DENY" } }),
      "linux.seccomp.defaultAction: expected one of",
    ],
    [
      "a rule without names",
      () =>
        withLinux({
          seccomp: { defaultAction: "SCMP_ACT_LOG", syscalls: [{ names: [], action: "SCMP_ACT_LOG" }] },
        }),
      "linux.seccomp.syscalls[0].names: is empty",
    ],
    [
      "a page size",
      () => withLinux({ resources: { hugepageLimits: [{ pageSize: "2M", limit: 1 }] } }),
      "2M is no page size like 2MB",
    ],
    [
      "a value in a map",
      () => parse({ ...minimal, annotations: { a: 1 } }),
      'annotations["a"]: expected a string, got 1',
    ],
    [
      "a NUL byte",
      () => parse({ ...minimal, process: { cwd: "/", args: ["a\0b"] } }),
      "process.args[0]: contains a NUL byte",
    ],
    [
      "too large a number",
      () =>
        parseOciProcess(`{"cwd":"/","rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":18446744073709551616}]}`),
      "rlimits[0].hard: expected an unsigned 64-bit integer, got 18446744073709551616",
    ],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(message);
  });
});
