import { expect, test } from "bun:test";
import { DetachScanner, parseDetachKeys } from "./detach-keys.ts";

test.each([
  ["ctrl-p,ctrl-q", [16, 17]],
  ["a,B", [97, 66]],
  ["ctrl-@,ctrl-[,ctrl-_", [0, 27, 31]],
  ["CTRL-A", [1]],
])("%p", (text, codes) => expect([...parseDetachKeys(text)]).toEqual(codes));

test.each(["ctrl-", "ctrl-1", "ab", ""])("%p is refused", (text) => {
  expect(() => parseDetachKeys(text)).toThrow("unknown detach key");
});

/** Input in pieces → what was passed on, and whether it ended in detaching. */
test.each([
  [["ls\r"], "ls\r", false],
  [["\x10\x11"], "", true],
  [["a\x10", "\x11rest"], "a", true],
  [["\x10", "x"], "\x10x", false],
  [["\x10\x10\x11"], "\x10", true],
  [["\x11\x10"], "\x11", false],
])("%j", (pieces, passed, detached) => {
  const scanner = new DetachScanner(parseDetachKeys("ctrl-p,ctrl-q"));
  let text = "";
  let ended = false;
  for (const piece of pieces) {
    const result = scanner.scan(Buffer.from(piece));
    text += Buffer.from(result.pass).toString();
    ended ||= result.detached;
  }
  expect({ text, ended }).toEqual({ text: passed, ended: detached });
});
