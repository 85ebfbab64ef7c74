import { expect, test } from "bun:test";
import { encodeJsonLine, JsonLinesDecoder, readJsonLines } from "./json-lines.ts";

const objects = [{ status: "Ziehe ä€😀" }, { id: "x", progressDetail: {} }, [1, 2]];

test("objects come out the same however the bytes are cut", () => {
  const bytes = Buffer.from(objects.map(encodeJsonLine).join(""));
  for (let size = 1; size <= bytes.length; size++) {
    const seen: unknown[] = [];
    const decoder = new JsonLinesDecoder((value) => seen.push(value));
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
    decoder.end();
    expect(seen).toEqual(objects);
  }
});

test("the last line needs no newline, and json-seq marks are skipped", async () => {
  async function* body() {
    yield Buffer.from('{"a":1}\n\n\u001e{"b"');
    yield Buffer.from(":2}");
  }
  expect(await Array.fromAsync(readJsonLines(body()))).toEqual([{ a: 1 }, { b: 2 }]);
});

test("what is not JSON is refused with its beginning", () => {
  const decoder = new JsonLinesDecoder(() => {});
  expect(() => decoder.push(Buffer.from("<html>\n"))).toThrow("<html>");
});
