import { expect, test } from "bun:test";
import { mountPoints } from "./mount-points.ts";

test("mount points are unescaped and keep their order", () => {
  const mountinfo = [
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw",
    "45 22 0:40 / /a\\040b\\134c rw - overlay overlay rw,lowerdir=/x",
    "46 45 0:41 / /a\\040b\\134c rw - tmpfs tmpfs rw",
    "",
  ].join("\n");
  expect(mountPoints(mountinfo)).toEqual(["/", "/a b\\c", "/a b\\c"]);
});
