import { expect, test } from "bun:test";
import { createDigester, digestOf, isDigest, parseDigest, shortDigest } from "./digest.ts";

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("digestOf and a digester agree with the known digest of nothing and of a text", () => {
  expect(digestOf("")).toBe(empty);
  const digester = createDigester();
  for (const part of ["a", "", "bc"]) digester.update(new TextEncoder().encode(part));
  expect(digester.digest()).toBe("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test.each([
  [empty, undefined],
  [`sha512:${"a".repeat(128)}`, undefined],
  ["", "invalid checksum digest format"],
  ["sha256", "invalid checksum digest format"],
  ["sha256:", "invalid checksum digest format"],
  [empty.toUpperCase(), "invalid checksum digest format"],
  [`sha256:${"A".repeat(64)}`, "invalid checksum digest format"],
  ["sha256:abc", "invalid checksum digest length"],
  [`${empty}0`, "invalid checksum digest length"],
  [`md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
  [`constructor:${"a".repeat(64)}`, "unsupported digest algorithm"],
  [`sha256:${"../".repeat(21)}a`, "invalid checksum digest format"],
  [`${empty}\n`, "invalid checksum digest format"],
])("parseDigest(%p) fails with %p", (text, problem) => {
  expect(isDigest(text)).toBe(problem === undefined);
  if (problem === undefined) expect<string>(parseDigest(text)).toBe(text);
  else expect(() => parseDigest(text)).toThrow(problem);
});

test("the short form is what clients show", () => {
  expect(shortDigest(empty)).toBe("e3b0c44298fc");
});
