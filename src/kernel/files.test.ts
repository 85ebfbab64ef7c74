import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bytePath,
  deviceNumber,
  linkat,
  mkdirat,
  mknodat,
  renameat,
  S_IFIFO,
  setTimesAt,
  symlinkat,
  unlinkat,
} from "./files.ts";
import { openat2, RESOLVE_BENEATH, RESOLVE_IN_ROOT, tryOpenat2 } from "./openat2.ts";
import { isErrno } from "./syscall.ts";
import { getXattr, listXattrs, removeXattr, setXattr } from "./xattrs.ts";

let directory = "";
let fd = -1;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-files-"));
  fd = openSync(directory, "r");
});
afterAll(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

describe("files below a descriptor", () => {
  test("times keep their nanoseconds, before 1970 too", () => {
    writeFileSync(join(directory, "old"), "");
    setTimesAt(fd, "old", { accessNs: 1_700_000_000_123_456_789n, modifyNs: -1n });
    const { atimeNs, mtimeNs } = lstatSync(join(directory, "old"), { bigint: true });
    expect([atimeNs, mtimeNs]).toEqual([1_700_000_000_123_456_789n, -1n]);
  });

  test("links, renames and removals", () => {
    mkdirat(fd, "d", 0o750);
    symlinkat("../elsewhere", fd, "d/link");
    linkat(fd, "d/link", fd, "hard");
    renameat(fd, "hard", fd, "renamed");
    expect(readlinkSync(join(directory, "renamed"))).toBe("../elsewhere");
    unlinkat(fd, "d/link");
    expect(() => unlinkat(fd, "d/link")).toThrow("remove d/link: no such file or directory");
  });

  test("names that are not UTF-8", () => {
    mknodat(fd, bytePath(new Uint8Array([0xff, 0xfe])), S_IFIFO | 0o600);
    expect(() => mknodat(fd, bytePath(new Uint8Array([0xff, 0xfe])), S_IFIFO)).toThrow("file exists");
  });

  test.each([
    [1, 3, 0x103],
    [8, 256, 0x100800],
    [0xfff, 0xfffff, 0xffffffff],
  ])("device %i:%i is %i", (major, minor, device) => {
    expect(deviceNumber(major, minor)).toBe(device);
  });
});

describe("openat2", () => {
  test("keeps absolute links and dots inside the root", () => {
    mkdirSync(join(directory, "etc"));
    writeFileSync(join(directory, "etc/passwd"), "inside");
    symlinkat("/../../etc/passwd", fd, "absolute");
    closeSync(openat2(fd, "absolute", { flags: 0, resolve: RESOLVE_IN_ROOT }));
    expect(tryOpenat2(fd, "absolute", { flags: 0, resolve: RESOLVE_BENEATH })).toBe(-18);
    expect(tryOpenat2(fd, "etc/../../etc/passwd", { flags: 0, resolve: RESOLVE_BENEATH })).toBe(-18);
  });

  test("names the path in its error", () => {
    expect(() => openat2(fd, "absent", { flags: 0, resolve: RESOLVE_IN_ROOT })).toThrow(
      "open absent: no such file or directory",
    );
  });
});

describe("extended attributes", () => {
  const supported = (): boolean => {
    try {
      writeFileSync(join(directory, "probe"), "");
      setXattr(join(directory, "probe"), "user.probe", new Uint8Array([1]));
      return true;
    } catch (error) {
      if (isErrno(error, "EOPNOTSUPP")) return false;
      throw error;
    }
  };

  test("are set, listed, read and removed", () => {
    if (!supported()) return; // a tmpfs of an old kernel
    const path = join(directory, "probe");
    setXattr(path, "user.empty", new Uint8Array());
    setXattr(path, "user.large", new Uint8Array(2000).fill(7));
    expect(listXattrs(path).toSorted()).toEqual(["user.empty", "user.large", "user.probe"]);
    expect(getXattr(path, "user.empty")).toEqual(new Uint8Array());
    expect(getXattr(path, "user.large")).toEqual(new Uint8Array(2000).fill(7));
    removeXattr(path, "user.large");
    expect(getXattr(path, "user.large")).toBeUndefined();
  });
});
