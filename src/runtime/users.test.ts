import { describe, expect, test } from "bun:test";
import { resolveUser } from "./users.ts";

const files = {
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    "# a comment",
    "web:x:33:33:Web:/var/www:/usr/sbin/nologin",
    "1234:x:55:55::/num:/bin/sh",
    "broken:x:12a:33::/:/bin/sh",
    "empty:x:::/:/bin/sh",
    "huge:x:4294967296:1::/:/bin/sh",
    "short:x:77:78",
  ].join("\n"),
  group: ["root:x:0:", "web:x:33:", "audio:x:63:web,other", "video:x:44:web", "odd:x:99999999999:web2"].join(
    "\n",
  ),
};
const resolve = (user: string, groupAdd: string[] = []) => resolveUser(user, groupAdd, files);

describe("a user", () => {
  test("is root by default, with root's home", () => {
    expect(resolve("")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root" });
  });

  test("by name has the groups that name it", () => {
    expect(resolve("web")).toEqual({ uid: 33, gid: 33, additionalGids: [33, 63, 44], home: "/var/www" });
  });

  test("by number is looked up too", () => {
    expect(resolve("33")).toEqual(resolve("web"));
    expect(resolve("1000")).toEqual({ uid: 1000, gid: 0, additionalGids: [0], home: "/" });
  });

  test("with a group has that group only", () => {
    expect(resolve("web:audio")).toMatchObject({ uid: 33, gid: 63, additionalGids: [63] });
    expect(resolve("web:5")).toMatchObject({ gid: 5, additionalGids: [5] });
    expect(resolve(":audio")).toMatchObject({ uid: 0, gid: 63 });
  });

  test("gets the groups of --group-add", () => {
    expect(resolve("web", ["7", "video"]).additionalGids).toEqual([33, 63, 44, 7]);
    expect(() => resolve("web", ["nobody"])).toThrow(
      "unable to find group nobody: no matching entries in group file",
    );
  });

  test("works without any files", () => {
    expect(resolveUser("7:8", [], { passwd: "", group: "" })).toEqual({
      uid: 7,
      gid: 8,
      additionalGids: [8],
      home: "/",
    });
  });
});

// CVE-2026-30892: what is no number must never be taken for 0, which is root.
describe("CVE-2026-30892: nothing malformed becomes root", () => {
  test.each([
    ["nobody", "unable to find user nobody: no matching entries in passwd file"],
    ["web:none", "unable to find group none: no matching entries in group file"],
    ["2147483648", "uids and gids must be in range 0-2147483647"],
    ["4294967296", "uids and gids must be in range 0-2147483647"],
    ["99999999999999999999", "uids and gids must be in range 0-2147483647"],
    ["-1", "uids and gids must be in range 0-2147483647"],
    ["0:-5", "uids and gids must be in range 0-2147483647"],
    ["12abc", "unable to find user 12abc"],
    ["0x0", "unable to find user 0x0"],
    [" 0", "unable to find user  0"],
    ["1e3", "unable to find user 1e3"],
    ["broken", "unable to use user broken: its line in the passwd file is malformed"],
    ["empty", "unable to use user empty"],
    ["huge", "unable to use user huge"],
    ["a:b:c", "more than one colon"],
  ])("%p", (user, message) => {
    expect(() => resolve(user)).toThrow(message);
  });

  test("digits are a number, whatever name the image gives to whom", () => {
    expect(resolve("1234")).toMatchObject({ uid: 1234, gid: 0, home: "/" });
    const hostile = { passwd: "1000:x:0:0::/:/bin/sh", group: "1000:x:0:" };
    expect(resolveUser("1000:1000", ["1000"], hostile)).toMatchObject({ uid: 1000, gid: 1000 });
  });

  test("a group's broken number is refused", () => {
    expect(() => resolve("web:odd")).toThrow("unable to use group odd");
  });
});
