import { expect, test } from "bun:test";
import { parseExitFile } from "./exit-file.ts";

test("an exit status", () => {
  expect(parseExitFile('{"exitCode":137,"signal":9,"exitedAtNs":"1790000000000000000","pid":4711}')).toEqual({
    status: { exitCode: 137, signal: 9, exitedAtNs: 1_790_000_000_000_000_000n },
    pid: 4711,
    failure: undefined,
  });
});

test("with the step that failed", () => {
  const text =
    '{"exitCode":127,"signal":0,"exitedAtNs":"1","pid":1,"failedStep":3,"errno":2,"detail":"/bin/x"}';
  expect(parseExitFile(text)?.failure).toEqual({ stepIndex: 3, errno: 2, detail: "/bin/x" });
});

test.each(["", "{", "null", "[]", '{"exitCode":1}', '{"exitCode":1,"signal":0,"exitedAtNs":"x","pid":1}'])(
  "%p is none",
  (text) => {
    expect(parseExitFile(text)).toBeUndefined();
  },
);
