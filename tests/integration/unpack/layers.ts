import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { UnpackedLayer, UnpackLimits } from "../../../src/core/unpack/contract.ts";
import type { WhiteoutForm } from "../../../src/core/unpack/whiteout.ts";
import type { WorkerPool } from "../../../src/core/unpack/worker-pool.ts";
import { type Digest, digestOf } from "../../../src/formats/digest.ts";
import { byteString } from "../../../src/formats/tar/byte-string.ts";
import type { TarEntry } from "../../../src/formats/tar/tar-entry.ts";
import { writeTar } from "../../../src/formats/tar/tar-writer.ts";
import { getXattr, listXattrs } from "../../../src/kernel/xattrs.ts";

/** An entry in short; `path` is text. */
export type Entry = Partial<Omit<TarEntry, "xattrs">> & {
  readonly path: string;
  readonly text?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
};

export const mtime = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };

export const file = (path: string, text = "", more: Partial<Entry> = {}): Entry => ({ path, text, ...more });
export const directory = (path: string, more: Partial<Entry> = {}): Entry => ({
  path,
  type: "directory",
  mode: 0o755,
  ...more,
});
export const symlink = (path: string, linkPath: string): Entry => ({ path, type: "symlink", linkPath });
export const hardlink = (path: string, linkPath: string): Entry => ({ path, type: "hardlink", linkPath });

export async function layerTar(entries: readonly Entry[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(entries.map(toInput))) parts.push(part);
  return Buffer.concat(parts);
}

function toInput({ text = "", xattrs = {}, path, ...rest }: Entry) {
  const content = Buffer.from(text);
  const entry: TarEntry = {
    type: "file",
    linkPath: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime,
    deviceMajor: 0,
    deviceMinor: 0,
    ...rest,
    path: byteString(path),
    size: content.length,
    xattrs: new Map(Object.entries(xattrs)),
  };
  return { entry, content: [content] };
}

/** Posts a tar to a Worker in pieces of 64 KiB. */
export async function* pieces(bytes: Uint8Array, size = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size));
}

/** Unpacks what `tar` holds into a new `directory`. */
export function unpackTar(
  workers: WorkerPool,
  tar: Uint8Array,
  directory: string,
  options: {
    diffId?: Digest;
    limits?: Partial<UnpackLimits>;
    blob?: Uint8Array;
    signal?: AbortSignal;
    whiteouts?: WhiteoutForm;
  } = {},
): Promise<UnpackedLayer> {
  mkdirSync(directory, { recursive: true });
  const { diffId = digestOf(tar), limits = {}, blob = tar, signal = new AbortController().signal } = options;
  return workers.unpack({
    layer: digestOf(blob),
    source: { kind: "chunks", chunks: pieces(blob) },
    directory,
    whiteouts: options.whiteouts ?? "overlay",
    diffId,
    limits,
    signal,
  });
}

/** One line for each thing below `root`: all that a layer can say about it. */
export function describeTree(root: string, { times = true } = {}): string[] {
  const lines: string[] = [];
  const inodes = new Map<string, string>();
  const visit = (path: Buffer) => {
    const place = Buffer.concat([Buffer.from(`${root}/`), path, Buffer.of(0)]);
    const host = place.subarray(0, -1);
    const status = lstatSync(host, { bigint: true });
    const name = path.toString("latin1");
    const inode = `${status.dev}:${status.ino}`;
    const first = inodes.get(inode);
    if (!status.isDirectory()) inodes.set(inode, first ?? name);
    const fields = [
      JSON.stringify(name),
      `${status.mode.toString(8)} ${status.uid}:${status.gid}`,
      times ? `${status.mtimeNs}` : "",
      status.isDirectory() ? "" : `${status.size} ${status.rdev}`,
      status.isSymbolicLink() ? readlinkSync(host, "latin1") : "",
      status.isFile() ? createHash("sha256").update(readFileSync(host)).digest("hex") : "",
      first === undefined ? "" : `= ${first}`,
      ...listXattrs(place)
        .sort()
        .map((xattr) => `${xattr}=${Buffer.from(getXattr(place, xattr) ?? []).toString("hex")}`),
    ];
    lines.push(fields.join(" "));
    if (!status.isDirectory()) return;
    const children = readdirSync(host, { encoding: "buffer" }).sort(Buffer.compare);
    for (const child of children)
      visit(name === "." ? child : Buffer.concat([path, Buffer.from("/"), child]));
  };
  visit(Buffer.from("."));
  return lines;
}

export const namesIn = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" }).sort();

export const at = (root: string, path: string): string => join(root, path);
