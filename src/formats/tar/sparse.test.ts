import { describe, expect, test } from "bun:test";
import { bytesOf } from "./byte-string.ts";
import { formatPaxRecords } from "./pax-records.ts";
import type { TarEntry } from "./tar-entry.ts";
import { type TarHandler, TarParser } from "./tar-parser.ts";
import { contentPadding, endOfArchive, formatTarHeader } from "./tar-writer.ts";

const base: TarEntry = {
  type: "file",
  path: "disk",
  linkPath: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function member(
  over: Partial<TarEntry>,
  content: string,
  change: (block: Buffer) => void = () => {},
): Buffer {
  const block = formatTarHeader({ ...base, size: content.length, ...over });
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return Buffer.concat([block, bytesOf(content), contentPadding(content.length)]);
}

/** PAX records with the member that they are for. */
function withRecords(records: readonly (readonly [string, string])[], file: Buffer): Buffer {
  // One after another, since the keywords of PAX 0.0 repeat.
  const body = records.map((record) => formatPaxRecords(new Map([record]))).join("");
  return Buffer.concat([member({ path: "pax" }, body, (block) => block.write("x", 156)), file]);
}

/** An offset, a size, and so on, as numbers of a GNU header. */
function putNumbers(block: Buffer, at: number, numbers: readonly number[]): void {
  for (const [index, value] of numbers.entries()) {
    block.write(`${value.toString(8).padStart(11, "0")}\0`, at + index * 12, "latin1");
  }
}

const oldGnu = (
  realSize: number,
  numbers: readonly number[],
  content: string,
  more: Buffer[] = [],
): Buffer => {
  const file = member({}, content, (block) => {
    block.write("S", 156);
    block.write("ustar  \0", 257, "latin1");
    putNumbers(block, 386, numbers);
    putNumbers(block, 483, [realSize]);
    block[482] = more.length > 0 ? 1 : 0;
  });
  return Buffer.concat([file.subarray(0, 512), ...more, file.subarray(512)]);
};

/** Reads it in pieces of `chunkBytes`; holes as they are told, or as content. */
function read(archive: Buffer, chunkBytes: number, takesHoles: boolean): string[] {
  const seen: string[] = [];
  let content = "";
  let holeBytes = 0;
  const flush = () => {
    if (holeBytes > 0) seen.push(`hole ${holeBytes}`);
    if (content !== "") seen.push(content.replaceAll("\0", "."));
    [content, holeBytes] = ["", 0];
  };
  const handler: TarHandler = {
    entry: ({ path, size }) => seen.push(`${path} ${size}`),
    content: (slice) => {
      if (holeBytes > 0) flush();
      content += Buffer.from(slice).toString("latin1");
    },
    entryEnd: () => {
      flush();
      seen.push("end");
    },
  };
  const hole = (sizeBytes: number) => {
    if (content !== "") flush();
    holeBytes += sizeBytes;
  };
  const parser = new TarParser(takesHoles ? { ...handler, hole } : handler);
  for (let at = 0; at < archive.length; at += chunkBytes) parser.push(archive.subarray(at, at + chunkBytes));
  parser.end();
  return seen;
}

const continuation = Buffer.alloc(512);
putNumbers(continuation, 0, [10, 2, 20, 0]);

const pax01 = [
  ["GNU.sparse.major", "0"],
  ["GNU.sparse.minor", "1"],
  ["GNU.sparse.name", "disk"],
  ["GNU.sparse.size", "20"],
  ["GNU.sparse.numblocks", "2"],
  ["GNU.sparse.map", "3,4,10,2"],
] as const;
const pax10 = [
  ["GNU.sparse.major", "1"],
  ["GNU.sparse.minor", "0"],
  ["GNU.sparse.name", "disk"],
  ["GNU.sparse.realsize", "20"],
] as const;
const map10 = (text: string, content: string) => text.padEnd(512, "\0") + content;
const hidden = { path: "GNUSparseFile.1/disk" };

/** All are the same file: 3 zeros, `abcd`, 3 zeros, `ef`, 8 zeros. */
const forms: readonly (readonly [string, Buffer])[] = [
  ["old GNU", oldGnu(20, [3, 4, 10, 2], "abcdef")],
  ["old GNU with a continuation", oldGnu(20, [0, 0, 1, 0, 2, 0, 3, 4], "abcdef", [continuation])],
  [
    "PAX 0.0",
    withRecords(
      [
        ["GNU.sparse.size", "20"],
        ["GNU.sparse.numblocks", "2"],
        ["GNU.sparse.offset", "3"],
        ["GNU.sparse.numbytes", "4"],
        ["GNU.sparse.offset", "10"],
        ["GNU.sparse.numbytes", "2"],
      ],
      member({}, "abcdef"),
    ),
  ],
  ["PAX 0.1", withRecords(pax01, member(hidden, "abcdef"))],
  ["PAX 1.0", withRecords(pax10, member(hidden, map10("2\n3\n4\n10\n2\n", "abcdef")))],
];

describe.each(forms)("%s", (_name, file) => {
  const archive = Buffer.concat([file, member({ path: "next" }, "n"), endOfArchive()]);
  const next = ["next 1", "n", "end"];

  test.each([1, 7, 512, archive.length])("in pieces of %p bytes", (chunkBytes) => {
    expect(read(archive, chunkBytes, true)).toEqual([
      "disk 20",
      ...["hole 3", "abcd", "hole 3", "ef", "hole 8", "end"],
      ...next,
    ]);
  });

  test("holes are zeros to those who do not ask for holes", () => {
    expect(read(archive, archive.length, false)).toEqual(["disk 20", "...abcd...ef........", "end", ...next]);
  });
});

test("a file that is one hole", () => {
  const archive = Buffer.concat([oldGnu(70_000, [70_000, 0], ""), endOfArchive()]);
  expect(read(archive, 512, true)).toEqual(["disk 70000", "hole 70000", "end"]);
  expect(read(archive, 512, false)[1]).toHaveLength(70_000);
});

test.each<[string, Buffer, string]>([
  ["parts that overlap", oldGnu(20, [3, 4, 5, 2], "abcdef"), "whose parts overlap"],
  ["a part beyond the end", oldGnu(8, [3, 4, 7, 2], "abcdef"), "with a part beyond its end"],
  ["a map of other content", oldGnu(20, [3, 4], "abcdef"), "with 6 bytes where its map says 4"],
  ["a size below zero", withRecords([["GNU.sparse.size", "-1"]], member({}, "")), "of a negative size"],
  [
    "an offset without a size",
    withRecords([...pax01.slice(0, -1), ["GNU.sparse.map", "3,4,10"]], member(hidden, "abcd")),
    "an offset that has no size",
  ],
  ["a map that is cut", withRecords(pax10, member(hidden, map10("2\n3\n4\n", ""))), "cut sparse map"],
  [
    "a map without an end of line",
    withRecords(pax10, member(hidden, "1".repeat(2048))),
    "no list of numbers",
  ],
  ["too large a map", withRecords(pax10, member(hidden, map10("1000001\n", ""))), "more than 1000000"],
  [
    "a later version",
    withRecords([["GNU.sparse.major", "2"]], member({}, "")),
    "sparse format 2.0 is not supported",
  ],
  ["no size", withRecords([["GNU.sparse.map", "0,1"]], member({}, "a")), "without its size"],
])("%s is refused by name", (_name, archive, message) => {
  expect(() => read(archive, archive.length, true)).toThrow(message);
});

test("a map over many continuations is gathered in one go", () => {
  const blocks = Array.from({ length: 25_000 }, (_, block) => {
    const continuation = Buffer.alloc(512);
    const offsets = Array.from({ length: 21 }, (_, part) => 4 + block * 21 + part);
    putNumbers(
      continuation,
      0,
      offsets.flatMap((offset) => [offset, 0]),
    );
    continuation[504] = 1;
    return continuation;
  });
  const archive = oldGnu(1_000_000, [0, 0, 1, 0, 2, 0, 3, 0], "", [...blocks, Buffer.alloc(512)]);
  const whole = Buffer.concat([archive, endOfArchive()]);
  expect(read(whole, whole.length, true)).toEqual(["disk 1000000", "hole 1000000", "end"]);
});
