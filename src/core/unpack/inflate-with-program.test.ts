import { expect, test } from "bun:test";
import { decompress } from "./decompress.ts";
import { inflateWithProgram } from "./inflate-with-program.ts";

const big = Buffer.alloc(400_000, "some text that repeats ");
const packed = (program: string, bytes: Uint8Array) =>
  Bun.spawnSync([program, "-c"], { stdin: new Uint8Array(bytes) }).stdout;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

test.each(["xz", "bzip2"] as const)("%s is recognised, and inflated by the program", async (program) => {
  const data = packed(program, big);
  const inflated = await all(decompress(pieces(data, 4), "archive", { withPrograms: true }));
  expect(inflated.equals(big)).toBe(true);
  await expect(all(decompress(pieces(data, 4), "layer"))).rejects.toThrow(
    `layer: compression ${program} is not supported`,
  );
});

test.each(["xz", "bzip2"] as const)("what %s refuses, and a cut, are errors", async (program) => {
  const data = packed(program, big);
  const broken = Buffer.concat([data.subarray(0, 20), Buffer.alloc(10_000, "x")]);
  for (const bad of [broken, data.subarray(0, data.length - 10)]) {
    await expect(all(inflateWithProgram(program, pieces(bad, 100), "archive"))).rejects.toThrow(
      `archive: corrupt ${program} data: `,
    );
  }
});

test("an error of the source is the error", async () => {
  const failing = async function* () {
    yield packed("xz", big).subarray(0, 100);
    throw new Error("the client left");
  };
  await expect(all(inflateWithProgram("xz", failing(), "archive"))).rejects.toThrow("the client left");
});

test("who stops reading ends the program", async () => {
  const inflated = inflateWithProgram("xz", pieces(packed("xz", Buffer.alloc(5_000_000)), 1000), "archive");
  const first = await inflated.next();
  expect(first.value?.length).toBeGreaterThan(0);
  await inflated.return(undefined);
  expect(await inflated.next()).toEqual({ done: true, value: undefined });
});

test("a program that is not there is named, with its package", async () => {
  const { PATH } = process.env;
  process.env.PATH = "/nonexistent";
  try {
    await expect(all(inflateWithProgram("xz", pieces(big, 10), "archive"))).rejects.toThrow(
      "archive: to unpack xz, the program xz has to be installed",
    );
  } finally {
    process.env.PATH = PATH;
  }
});
