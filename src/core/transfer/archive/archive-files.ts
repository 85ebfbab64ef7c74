import { readFileSync } from "node:fs";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../../formats/digest.ts";
import type { Descriptor } from "../../../formats/oci-image.ts";
import type { SpooledEntry } from "../../unpack/job-messages.ts";
import { layerPath } from "../../unpack/layer-path.ts";

export type SpooledFile = Extract<SpooledEntry, { kind: "file" }>;

/** Manifests, configs and indexes are small; layers are never read into memory. */
const maxDocumentBytes = 16 * 1024 * 1024;

/** The files of an image archive by their names. Symlinks are followed by name, within the archive only. */
export class ArchiveFiles {
  readonly #entries = new Map<string, SpooledEntry>();

  constructor(entries: readonly SpooledEntry[]) {
    for (const entry of entries) this.#entries.set(entry.name, entry);
  }

  /**
   * Errors: InvalidParameter for a name or a symlink that leads out of the archive, for a chain of symlinks, and for a
   * file that is not what its own name or that of the symlink in `blobs/` says.
   */
  find(name: string): SpooledFile | undefined {
    const path = cleanName(name);
    const entry = this.#entries.get(path);
    const file = entry?.kind === "symlink" ? this.#entries.get(targetOf(entry)) : entry;
    if (file === undefined && entry !== undefined)
      throw refused(`symlink ${JSON.stringify(name)} leads to nothing in it`);
    if (file?.kind === "symlink") throw refused(`symlink ${JSON.stringify(name)} leads to another symlink`);
    if (file !== undefined) for (const each of [path, file.name]) verifyBlobName(each, file.digest);
    return file;
  }

  require(name: string): SpooledFile {
    const file = this.find(name);
    if (file === undefined) throw refused(`has no file ${JSON.stringify(name)}`, "archive.incomplete");
    return file;
  }

  /** What the descriptor of a document names. Errors: InvalidParameter for a descriptor that lies about the size. */
  blob({ digest, size }: Pick<Descriptor, "digest" | "size">): SpooledFile | undefined {
    const file = this.find(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`);
    if (file === undefined || file.size === size) return file;
    throw refused(`blob ${digest} has ${file.size} bytes, its descriptor promises ${size}`, "archive.size");
  }
}

/** Of a manifest, a config or an index. */
export function readDocument(file: SpooledFile): Uint8Array {
  if (file.size > maxDocumentBytes) throw refused(`file ${JSON.stringify(file.name)} is larger than 16 MiB`);
  return readFileSync(file.path);
}

/** Old archives name a layer twice by a symlink: `<id>/layer.tar` → `../<other id>/layer.tar`. */
function targetOf(link: { readonly name: string; readonly target: string }): string {
  if (link.target.startsWith("/")) throw refused(`symlink ${JSON.stringify(link.name)} leads out of it`);
  return cleanName(`${link.name}/../${link.target}`);
}

function cleanName(name: string): string {
  const path = layerPath(name);
  if (path === undefined) throw refused(`name ${JSON.stringify(name)} leads out of it`);
  return path.path;
}

function verifyBlobName(name: string, digest: Digest): void {
  const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/(.*)$/.exec(name) ?? [];
  if (algorithm === undefined || `${algorithm}:${hex}` === digest) return;
  throw refused(`blob ${JSON.stringify(name)} has the digest ${digest}`, "archive.digest");
}

const refused = (what: string, code = "archive.hostile") =>
  invalidParameter(`image archive: ${what}`, { code });
