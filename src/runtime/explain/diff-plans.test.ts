import { expect, test } from "bun:test";
import type { KernelOperation, KernelStep } from "../../kernel/steps.ts";
import { type DiffSide, diffPlans } from "./diff-plans.ts";

const step = (operation: KernelOperation, reason = "default"): KernelStep => ({
  phase: "setup",
  reason,
  ...operation,
});
const hostname = (name: string) => step({ op: "set-hostname", name });
const exec = (env: readonly string[]) => step({ op: "exec", args: ["sh"], env, preserveFds: 0 });
const filter = (byte: number) =>
  step({ op: "load-seccomp", program: new Uint8Array(8).fill(byte), flags: 0 }, "profile");

const side = (name: string, ...steps: KernelStep[]): DiffSide => ({
  name,
  plan: { steps },
  own: [[`id-${name}`, "ID"]],
});

test("the same steps differ in nothing, whatever their ids and reasons", () => {
  const a = side("a", hostname("id-a"), step({ op: "bring-up-loopback" }, "one"));
  const b = side("b", hostname("id-b"), step({ op: "bring-up-loopback" }, "other"));
  expect(diffPlans(a, b)).toBe("");
});

test("says what only one of them has, variables one by one", () => {
  const a = side("a", hostname("x"), exec(["A=1", "B=2"]));
  const b = side("b", hostname("x"), step({ op: "make-root-readonly" }, "--read-only"), exec(["A=1", "B=3"]));
  expect(diffPlans(a, b)).toBe(
    [
      "- a",
      "+ b",
      "",
      "Root",
      "  + make / read-only  # --read-only",
      "",
      "Program",
      "  - variable B=2  # default",
      "  + variable B=3  # default",
      "",
    ].join("\n"),
  );
});

test("programs that differ are a difference, though their sentences are the same", () => {
  expect(diffPlans(side("a", filter(1)), side("b", filter(2)))).toContain("  + filter system calls: 1 BPF");
});

test("as JSON each change says in which of the two its step is", () => {
  const a = side("a", hostname("x"));
  const b = side("b", hostname("y"));
  const change = (only: string, name: string) => ({
    only,
    topic: "Identity",
    step: `set the host name ${name}`,
    reason: "default",
  });
  expect(JSON.parse(diffPlans(a, b, "json"))).toEqual({
    first: "a",
    second: "b",
    changes: [change("first", "x"), change("second", "y")],
  });
  expect(JSON.parse(diffPlans(a, a, "json"))).toEqual({ first: "a", second: "a", changes: [] });
});
