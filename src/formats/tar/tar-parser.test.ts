import { describe, expect, test } from "bun:test";
import { byteString, bytesOf } from "./byte-string.ts";
import { formatPaxRecords } from "./pax-records.ts";
import type { TarEntry } from "./tar-entry.ts";
import { TarParser } from "./tar-parser.ts";
import { contentPadding, endOfArchive, formatPaxTime, formatTarHeader, writeTar } from "./tar-writer.ts";

type Read = TarEntry & { content: string };

/** Reads an archive pushed in chunks of `chunkBytes`. */
function read(archive: Uint8Array, chunkBytes = archive.length || 1): Read[] {
  const entries: Read[] = [];
  let current: { entry: TarEntry; parts: Buffer[] } | undefined;
  const parser = new TarParser({
    entry: (entry) => {
      expect(current).toBeUndefined();
      current = { entry, parts: [] };
    },
    content: (slice) => {
      current?.parts.push(Buffer.from(slice));
    },
    entryEnd: () => {
      if (current)
        entries.push({ ...current.entry, content: Buffer.concat(current.parts).toString("latin1") });
      current = undefined;
    },
  });
  for (let at = 0; at < archive.length; at += chunkBytes) parser.push(archive.subarray(at, at + chunkBytes));
  parser.end();
  return entries;
}

const file = (over: Partial<TarEntry> = {}): TarEntry => ({
  type: "file",
  path: "a/file",
  linkPath: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  atime: undefined,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
  ...over,
});

const archiveOf = (...parts: Uint8Array[]): Buffer => Buffer.concat([...parts, endOfArchive()]);

/** A header block changed by `change`, with its checksum made right again. */
function changed(block: Buffer, change: (block: Buffer) => void): Buffer {
  change(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function special(typeFlag: string, body: string): Buffer {
  const header = changed(formatTarHeader(file({ path: "special", size: body.length })), (block) => {
    block.write(typeFlag, 156, "latin1");
  });
  return Buffer.concat([header, bytesOf(body), contentPadding(body.length)]);
}

const pax = (records: Record<string, string>, typeFlag = "x") =>
  special(typeFlag, formatPaxRecords(new Map(Object.entries(records))));

/** A small deterministic generator, so that a failing tree can be made again from its seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomName(next: (below: number) => number): string {
  const alphabets = ["abc", "é漢 \n=", "\xff\x80x"];
  const length = [1, 5, 99, 100, 101, 155, 156, 255, 300][next(9)] ?? 1;
  const alphabet = alphabets[next(3)] ?? "a";
  let name = "";
  while (name.length < length)
    name += next(9) === 0 && name !== "" ? "/" : (alphabet[next(alphabet.length)] ?? "a");
  const bytes = alphabet === "é漢 \n=" ? byteString(name) : name;
  return bytes.replace(/\/+$/, "") || "n";
}

function randomEntry(next: (below: number) => number): { entry: TarEntry; content: Buffer } {
  const type =
    (["file", "file", "directory", "symlink", "hardlink", "character-device", "fifo"] as const)[next(7)] ??
    "file";
  const content = Buffer.alloc(type === "file" ? ([0, 1, 511, 512, 513, 5000][next(6)] ?? 0) : 0, next(256));
  const isLink = type === "symlink" || type === "hardlink";
  const xattrs = new Map<string, string>();
  for (let count = next(3); count > 0; count--)
    xattrs.set(`user.x${next(9)}`, "\0\xffvalue\n".repeat(next(4)));
  const entry = file({
    type,
    path: randomName(next),
    linkPath: isLink ? randomName(next) : "",
    mode: next(0o10000),
    uid: [0, 1000, 0o7777777, 0o10000000, 2 ** 32 - 2][next(5)] ?? 0,
    gid: next(3) * 3_000_000,
    size: content.length,
    mtime: { seconds: next(2 ** 31) * (next(4) - 1), nanoseconds: next(2) * next(1_000_000_000) },
    atime: next(2) ? { seconds: next(2 ** 31), nanoseconds: 5 } : undefined,
    deviceMajor: type === "character-device" ? next(4096) : 0,
    deviceMinor: type === "character-device" ? next(256) : 0,
    xattrs,
  });
  return { entry, content };
}

async function write(entries: { entry: TarEntry; content: Buffer }[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(entries.map(({ entry, content }) => ({ entry, content: [content] }))))
    parts.push(part);
  return Buffer.concat(parts);
}

describe("what was written is read back", () => {
  for (let seed = 1; seed <= 20; seed++) {
    test(`random tree ${seed}, for any size of chunks`, async () => {
      const next = random(seed);
      const entries = Array.from({ length: 12 }, () => randomEntry(next));
      const archive = await write(entries);
      expect(await write(entries)).toEqual(archive);
      const wanted = entries.map(({ entry, content }) => ({ ...entry, content: content.toString("latin1") }));
      for (const chunkBytes of [archive.length, 1, 511, 512, 1000])
        expect(read(archive, chunkBytes)).toEqual(wanted);
    });
  }
});

describe("forms of headers", () => {
  test("GNU long name and long link", () => {
    const path = "n".repeat(300);
    const archive = archiveOf(
      special("L", `${path}\0`),
      special("K", `${path}/target\0`),
      formatTarHeader(file({ type: "symlink", linkPath: "short" })),
      formatTarHeader(file({ path: "next" })),
    );
    const [first, second] = read(archive);
    expect(first).toMatchObject({ path, linkPath: `${path}/target` });
    expect(second?.path).toBe("next");
  });

  test("ustar prefix", () => {
    const path = `${"p".repeat(120)}/${"n".repeat(90)}`;
    expect(formatTarHeader(file({ path })).length).toBe(512);
    expect(read(archiveOf(formatTarHeader(file({ path }))))[0]?.path).toBe(path);
  });

  test("old GNU headers have times where ustar has the prefix", () => {
    const block = changed(formatTarHeader(file({ path: "name" })), (b) => {
      b.write("ustar  \0", 257, "latin1");
      b.write("14524770423", 345, "latin1");
    });
    expect(read(archiveOf(block))[0]?.path).toBe("name");
  });

  test("base-256 numbers, also negative ones", () => {
    const block = changed(formatTarHeader(file()), (b) => {
      b.fill(0, 108, 116);
      b.writeUInt8(0x80, 108);
      b.writeUInt32BE(4_000_000_000, 112);
      b.fill(0xff, 136, 148);
      b.writeInt32BE(-100, 144);
    });
    expect(read(archiveOf(block))[0]).toMatchObject({
      uid: 4_000_000_000,
      mtime: { seconds: -100, nanoseconds: 0 },
    });
  });

  test("v7: a name that ends in a slash is a directory", () => {
    const block = changed(formatTarHeader(file({ path: "dir/" })), (b) => {
      b.fill(0, 257, 512);
      b.write("\0", 156, "latin1");
    });
    expect(read(archiveOf(block))[0]?.type).toBe("directory");
  });

  test("a signed checksum of old writers is accepted", () => {
    const block = formatTarHeader(file({ path: "name" }));
    block.write("\xe9", 4, "latin1");
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + (byte > 127 ? byte - 256 : byte), 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    expect(read(archiveOf(block))[0]?.path).toBe("name\xe9");
  });

  test("a volume label is skipped and a socket is told apart", () => {
    const socket = changed(formatTarHeader(file({ path: "s" })), (b) => {
      b.write("0140755\0", 100, "latin1");
    });
    expect(read(archiveOf(special("V", ""), socket)).map((entry) => entry.type)).toEqual(["socket"]);
  });

  test("size fields of entries without content are ignored", () => {
    const block = changed(formatTarHeader(file({ type: "directory", path: "d" })), (b) => {
      b.write("00000001000\0", 124, "latin1");
    });
    expect(read(archiveOf(block, formatTarHeader(file())))).toHaveLength(2);
  });
});

describe("PAX", () => {
  test("global records hold until the end; local ones win; an empty local value takes one back", () => {
    const archive = archiveOf(
      pax({ uid: "7", mtime: "5.5" }, "g"),
      formatTarHeader(file({ path: "one", uid: 1 })),
      pax({ uid: "8" }),
      formatTarHeader(file({ path: "two", uid: 1 })),
      pax({ uid: "" }),
      formatTarHeader(file({ path: "three", uid: 1 })),
    );
    expect(read(archive).map(({ path, uid, mtime }) => [path, uid, mtime.nanoseconds])).toEqual([
      ["one", 7, 500_000_000],
      ["two", 8, 500_000_000],
      ["three", 1, 500_000_000],
    ]);
  });

  test("size of the record wins, also for the content", () => {
    const archive = archiveOf(
      pax({ size: "3" }),
      formatTarHeader(file()),
      Buffer.from("abc"),
      contentPadding(3),
    );
    expect(read(archive)[0]?.content).toBe("abc");
  });

  test("extended attributes in both spellings", () => {
    const value = Buffer.from("\0\x01bytes", "latin1");
    const archive = archiveOf(
      pax({
        "SCHILY.xattr.user.a=": "",
        "SCHILY.xattr.user.raw": value.toString("latin1"),
        "LIBARCHIVE.xattr.user.b%20c": value.toString("base64"),
      }),
      formatTarHeader(file()),
    );
    expect(read(archive)[0]?.xattrs.get("user.raw")).toBe(value.toString("latin1"));
    expect(read(archive)[0]?.xattrs.get("user.b c")).toBe(value.toString("latin1"));
  });

  test.each([
    ["1.5", { seconds: 1, nanoseconds: 500_000_000 }],
    ["-1.5", { seconds: -2, nanoseconds: 500_000_000 }],
    ["0", { seconds: 0, nanoseconds: 0 }],
    ["1700000000.123456789999", { seconds: 1_700_000_000, nanoseconds: 123_456_789 }],
  ])("mtime %p", (text, mtime) => {
    expect(read(archiveOf(pax({ mtime: text }), formatTarHeader(file())))[0]?.mtime).toEqual(mtime);
    expect(text.startsWith(formatPaxTime(mtime))).toBe(true);
  });
});

describe("broken and hostile archives are refused", () => {
  const header = () => formatTarHeader(file());
  const badChecksum = header();
  badChecksum.write("X", 0, "latin1");
  test.each<[string, Uint8Array, string]>([
    ["a wrong checksum", archiveOf(badChecksum), "tar.checksum"],
    ["text instead of a tar", Buffer.alloc(1024, "hello "), "tar.checksum"],
    ["a cut inside a header", header().subarray(0, 300), "tar.truncated"],
    [
      "a cut inside content",
      Buffer.concat([formatTarHeader(file({ size: 600 })), Buffer.alloc(512)]),
      "tar.truncated",
    ],
    ["an extended header without its entry", pax({ path: "x" }), "tar.truncated"],
    ["a cut behind an extended header", pax({ path: "x" }).subarray(0, 600), "tar.truncated"],
    ["a lone zero block", archiveOf(header(), Buffer.alloc(512), header()), "tar.zero-block"],
    ["multi-volume", archiveOf(special("M", "")), "tar.type"],
    ["an unknown type", archiveOf(special("Z", "")), "tar.type"],
    ["NUL in a PAX path", archiveOf(pax({ path: "a\0b" }), header()), "tar.pax"],
    ["NUL in a PAX link", archiveOf(pax({ linkpath: "a\0b" }), header()), "tar.pax"],
    ["a malformed record", archiveOf(special("x", "99 path=x\n"), header()), "tar.pax"],
    ["a record without a length", archiveOf(special("x", "path=x\n"), header()), "tar.pax"],
    ["a record of length zero", archiveOf(special("x", "0 a=b\n"), header()), "tar.pax"],
    ["a huge extended header", archiveOf(special("x", "x".repeat(1024 * 1024 + 1))), "tar.metadata-size"],
    ["an entry without a name", archiveOf(changed(header(), (b) => b.fill(0, 0, 100))), "tar.name"],
    ["a negative size", archiveOf(changed(header(), (b) => b.fill(0xff, 124, 136))), "tar.number"],
    ["a size that is no number", archiveOf(changed(header(), (b) => b.write("12x", 124))), "tar.number"],
    ["a PAX size that is no number", archiveOf(pax({ size: "1e9" }), header()), "tar.number"],
    ["a time that is no number", archiveOf(pax({ mtime: "NaN" }), header()), "tar.number"],
    [
      "a flood of global records",
      archiveOf(
        pax(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, "v"])), "g"),
        header(),
      ),
      "tar.metadata-size",
    ],
  ])("%s", (_, archive, code) => {
    expect(() => read(archive)).toThrow(expect.objectContaining({ kind: "InvalidParameter", code }));
    expect(() => read(archive, 7)).toThrow(expect.objectContaining({ code }));
  });

  test("an archive may end without zero blocks and padding, and what follows them is ignored", () => {
    expect(read(header())).toHaveLength(1);
    for (const padding of [0, 1, 100, 511]) {
      const archive = Buffer.concat([
        formatTarHeader(file({ size: 1 })),
        Buffer.from("x"),
        Buffer.alloc(padding),
      ]);
      expect(read(archive)).toMatchObject([{ content: "x" }]);
    }
    expect(read(Buffer.concat([archiveOf(header()), Buffer.from("garbage")]))).toHaveLength(1);
    expect(read(Buffer.alloc(0))).toEqual([]);
  });

  test("the writer refuses what tar cannot hold", async () => {
    for (const entry of [
      file({ type: "socket" }),
      file({ path: "" }),
      file({ path: "a\0b" }),
      file({ mode: 0o77777777 }),
    ]) {
      expect(() => formatTarHeader(entry)).toThrow(expect.objectContaining({ kind: "InvalidParameter" }));
    }
    await expect(write([{ entry: file({ size: 2 }), content: Buffer.from("a") }])).rejects.toThrow(
      "1 bytes of content instead of 2",
    );
  });
});
