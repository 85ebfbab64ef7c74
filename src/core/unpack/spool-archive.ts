import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import { createDigester, type DigestAlgorithm, type Digester } from "../../formats/digest.ts";
import { quoted, textOf } from "../../formats/tar/byte-string.ts";
import type { TarEntry } from "../../formats/tar/tar-entry.ts";
import { type TarHandler, TarParser } from "../../formats/tar/tar-parser.ts";
import { fileError } from "../content/file-error.ts";
import { decompress } from "./decompress.ts";
import type { SpooledEntry } from "./job-messages.ts";
import { layerPath } from "./layer-path.ts";

/** An archive of images has a few files for each layer. */
const maxEntries = 100_000;
/** Enough to recognise a compression. */
const headBytes = 8;

/**
 * Reads an image archive (tar, plain or compressed) and writes its regular files into `directory`, under numbers: no
 * name of the archive ever becomes a path of the host. Runs in a Worker.
 *
 * Out:    the files with their digest, and the symlinks; other entries mean nothing in an image archive.
 * Errors: InvalidParameter for a broken archive and for names that lead out of it; System for a full disk.
 */
export async function spoolArchive(
  directory: string,
  input: AsyncIterable<Uint8Array>,
): Promise<SpooledEntry[]> {
  const spool = new Spool(directory);
  const parser = new TarParser(spool);
  try {
    for await (const piece of decompress(input, "image archive", { withPrograms: true })) parser.push(piece);
    parser.end();
    return spool.entries;
  } finally {
    spool.close();
  }
}

interface SpooledFile {
  readonly name: string;
  readonly path: string;
  readonly fd: number;
  readonly digester: Digester;
  readonly head: number[];
  size: number;
}

class Spool implements TarHandler {
  readonly entries: SpooledEntry[] = [];
  #file: SpooledFile | undefined;
  #count = 0;

  constructor(private readonly directory: string) {}

  entry(entry: TarEntry): void {
    if (++this.#count > maxEntries) throw refused(`has more than ${maxEntries} entries`);
    const path = layerPath(entry.path);
    if (path === undefined) throw refused(`entry ${quoted(entry.path)} leads out of it`);
    const name = textOf(path.path);
    if (entry.type === "symlink") {
      this.entries.push({ kind: "symlink", name, target: textOf(entry.linkPath) });
    } else if (entry.type === "file") {
      const file = join(this.directory, String(this.#count));
      const fd = orFileError(() => openSync(file, "wx", 0o600));
      this.#file = { name, path: file, fd, digester: createDigester(algorithmOf(name)), head: [], size: 0 };
    }
  }

  content(slice: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; at < slice.length && file.head.length < headBytes; at++) file.head.push(slice[at] ?? 0);
    file.digester.update(slice);
    for (let at = 0; at < slice.length; ) at += orFileError(() => writeSync(file.fd, slice, at));
    file.size += slice.length;
  }

  entryEnd(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.close();
    const { name, path, size, head } = file;
    const digest = file.digester.digest();
    this.entries.push({ kind: "file", name, path, size, digest, head: Uint8Array.from(head) });
  }

  close(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
  }
}

/** A blob is hashed as its folder is called, everything else with sha256. OCI image-spec, "Blobs". */
const algorithmOf = (name: string): DigestAlgorithm =>
  name.startsWith("blobs/sha512/") ? "sha512" : "sha256";

function orFileError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(error, "write image archive to disk");
  }
}

const refused = (what: string) => invalidParameter(`image archive ${what}`, { code: "archive.hostile" });
