import { expect, test } from "bun:test";
import type { Change } from "../../core/snapshots/list-changes.ts";
import { containerChanges } from "./container-changes.ts";

const kinds = { A: "added", C: "modified", D: "deleted" } as const;
const changes = (text: string): Change[] =>
  text
    .split(", ")
    .filter(Boolean)
    .map((each) => ({ kind: kinds[each[0] as "A" | "C" | "D"], path: each.slice(2) }));

test.each([
  ["C /etc, A /etc/hostname, A /etc/hosts", ""],
  ["A /etc, A /etc/hosts, A /proc, A /dev, A /x", "A /x"],
  ["C /etc, A /etc/hosts, D /etc/group", "C /etc, D /etc/group"],
  ["C /etc, D /etc/hosts, C /proc", "C /etc, D /etc/hosts, C /proc"],
  ["A /etcetera, A /etc/hosts, C /etc", "A /etcetera"],
])("%s is %p to a user", (all, own) => {
  expect(containerChanges(changes(all))).toEqual(changes(own));
});
