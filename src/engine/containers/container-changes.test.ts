import { expect, test } from "bun:test";
import type { Change } from "../../core/snapshots/list-changes.ts";
import { containerChanges, engineMountPoints } from "./container-changes.ts";

const kinds = { A: "added", C: "modified", D: "deleted" } as const;
const changes = (text: string): Change[] =>
  text
    .split(", ")
    .filter(Boolean)
    .map((each) => ({ kind: kinds[each[0] as "A" | "C" | "D"], path: each.slice(2) }));

test.each([
  ["C /sbin, A /sbin/docker-init", ""],
  ["A /sbin, A /sbin/docker-init, A /x", "A /x"],
  ["C /sbin, A /sbin/docker-init, D /sbin/halt", "C /sbin, D /sbin/halt"],
  ["C /sbin, D /sbin/docker-init, C /etc", "C /sbin, D /sbin/docker-init, C /etc"],
  ["A /sbinary, A /sbin/docker-init, C /sbin", "A /sbinary"],
])("of a container with --init, %s is %p to a user", (all, own) => {
  expect(containerChanges(changes(all), engineMountPoints({ Init: true }))).toEqual(changes(own));
});

test("without --init, everything is the container's", () => {
  const all = changes("C /sbin, A /sbin/docker-init");
  expect(containerChanges(all, engineMountPoints({}))).toEqual(all);
});
