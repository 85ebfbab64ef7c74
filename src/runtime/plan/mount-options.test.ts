import { describe, expect, test } from "bun:test";
import { knownMountOptions, mountAttribute, parseMountOptions, parsePropagation } from "./mount-options.ts";

const { RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, STRICTATIME, ATIME, NODIRATIME, NOSYMFOLLOW } =
  mountAttribute;

describe("attributes", () => {
  test.each([
    ["ro", RDONLY, 0],
    ["rw", 0, RDONLY],
    ["nosuid", NOSUID, 0],
    ["suid", 0, NOSUID],
    ["nodev", NODEV, 0],
    ["exec", 0, NOEXEC],
    ["noatime", NOATIME, ATIME],
    ["strictatime", STRICTATIME, ATIME],
    ["relatime", 0, ATIME],
    ["nodiratime", NODIRATIME, 0],
    ["nosymfollow", NOSYMFOLLOW, 0],
  ])("%s", (option, set, clear) => {
    expect(parseMountOptions([option]).attributes).toEqual({ set, clear });
    expect(parseMountOptions([`r${option}`]).recursiveAttributes).toEqual({ set, clear });
  });

  test("a later opposite wins", () => {
    expect(parseMountOptions(["ro", "rw"]).attributes).toEqual({ set: 0, clear: RDONLY });
    expect(parseMountOptions(["rw", "ro"]).attributes).toEqual({ set: RDONLY, clear: 0 });
    expect(parseMountOptions(["noatime", "strictatime"]).attributes).toEqual({
      set: STRICTATIME,
      clear: ATIME,
    });
  });

  test("relatime and rrelatime are not taken for one another", () => {
    expect(parseMountOptions(["relatime"]).recursiveAttributes).toEqual({ set: 0, clear: 0 });
    expect(parseMountOptions(["rrelatime"]).attributes).toEqual({ set: 0, clear: 0 });
  });
});

test("file system options pass through in order, no-ops are dropped", () => {
  const { data, attributes } = parseMountOptions([
    "mode=755",
    "defaults",
    "sync",
    "silent",
    "size=1m",
    "nosuid",
  ]);
  expect(data).toEqual(["mode=755", "sync", "size=1m"]);
  expect(attributes.set).toBe(NOSUID);
});

test.each([
  ["shared", 1 << 20],
  ["rslave", (1 << 19) | 0x4000],
  ["rprivate", (1 << 18) | 0x4000],
  ["unbindable", 1 << 17],
  ["ro", undefined],
  ["rw", undefined],
])("propagation of %s", (word, flags) => {
  expect(parsePropagation(word)).toBe(flags as number);
});

test("the specification's options are all known", () => {
  const required =
    `async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime
    noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave
    runbindable rw shared silent slave strictatime suid sync unbindable nosymfollow symfollow ratime rdev rdiratime rrelatime
    rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow rro rrw rstrictatime rsuid
    rsymfollow idmap ridmap mand nomand tmpcopyup`.split(/\s+/);
  expect(required.filter((option) => !knownMountOptions.includes(option))).toEqual([]);
  // None of them reaches the file system as an unknown word.
  const own = new Set([
    "async",
    "dirsync",
    "iversion",
    "lazytime",
    "noiversion",
    "nolazytime",
    "sync",
    "mand",
    "nomand",
  ]);
  expect(
    required.filter((option) => parseMountOptions([option]).data.length > 0 && !own.has(option)),
  ).toEqual([]);
});
