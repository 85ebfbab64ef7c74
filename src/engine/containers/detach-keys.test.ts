import { describe, expect, test } from "bun:test";
import { DetachKeyScanner, parseDetachKeys } from "./detach-keys.ts";

test.each([
  [undefined, [16, 17]],
  ["", [16, 17]],
  ["ctrl-p,ctrl-q", [16, 17]],
  ["a,ctrl-]", [97, 29]],
  ["ctrl-@", [0]],
  ["DEL", [127]],
])("%p are the bytes %p", (text, bytes) => {
  expect([...parseDetachKeys(text)]).toEqual(bytes);
});

test.each([["ctrl-"], ["ctrl-1"], ["xyz"], [","], ["ü"]])("%p is refused", (text) => {
  expect(() => parseDetachKeys(text)).toThrow(`invalid detach keys (${text}) provided`);
});

describe("scanning input", () => {
  async function scan(chunks: string[]): Promise<{ passed: string; detached: number }> {
    let detached = 0;
    let passed = "";
    const scanner = new DetachKeyScanner(Buffer.from("pq"), () => detached++);
    scanner.on("data", (chunk: Buffer) => {
      passed += chunk.toString();
    });
    const ended = new Promise((resolve) => scanner.on("end", resolve));
    for (const chunk of chunks) scanner.write(Buffer.from(chunk));
    scanner.end();
    await ended;
    return { passed, detached };
  }

  test.each([
    [["abc"], "abc", 0],
    [["abpq"], "ab", 1],
    [["abp", "qcd"], "ab", 1], // over two chunks, and nothing after it
    [["p", "x"], "px", 0],
    [["pp", "q"], "p", 1], // the first one was no beginning
    [["p"], "p", 0], // input ended in the middle
    [["pqpq"], "", 1],
  ])("%p passes %p and detaches %p times", async (chunks, passed, detached) => {
    expect(await scan(chunks)).toEqual({ passed, detached });
  });
});
