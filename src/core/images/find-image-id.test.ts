import { expect, test } from "bun:test";
import type { Digest } from "../../formats/digest.ts";
import { findImageId } from "./find-image-id.ts";

const id = (start: string): Digest => `sha256:${start.padEnd(64, "0")}`;
const ids = [id("abc1"), id("abc2"), id("beef"), id("cafe"), `sha512:${"d".repeat(128)}` as const];
const names = new Map<string, Digest>([
  ["docker.io/library/beef:latest", id("abc1")],
  ["docker.io/library/web:1", id("abc2")],
  [`docker.io/library/web@${id("77")}`, id("cafe")],
]);
const find = (given: string) => findImageId(given, ids, (name) => names.get(name));

test.each([
  ["beef", id("abc1")], // a name, although another image's id begins so
  ["beef0", id("beef")],
  ["sha256:beef", id("beef")],
  [id("beef"), id("beef")],
  [id("beef").slice(7), id("beef")],
  ["abc1", id("abc1")],
  ["sha512:dd", ids[4]],
  ["web:1", id("abc2")],
  [`web@${id("77")}`, id("cafe")],
  [`web:1@${id("77")}`, id("cafe")], // with a digest the tag says nothing
  ["cafe:latest", undefined], // an id has no tag
  ["user/cafe", undefined],
  ["web", undefined], // is web:latest
  [`web@${id("78")}`, undefined],
  [id("ab"), undefined],
  ["g", undefined],
])("%p is %p", (given, wanted) => {
  expect(find(given)).toBe(wanted as Digest);
});

test.each([
  ["abc", "image id abc is ambiguous: 2 images begin with it"],
  ["sha256:", "invalid reference format"],
  ["BEEF", "must be lowercase"],
  ["", "invalid reference format"],
])("%p fails with %p", (given, message) => {
  expect(() => find(given)).toThrow(message);
});
