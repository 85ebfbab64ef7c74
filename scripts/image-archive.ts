import { createHash } from "node:crypto";

/**
 * Makes small images from entries in memory, the same bytes every time: the embedded image `hello` and
 * the images that tests need, hostile ones among them. Nothing here checks a name.
 */
export interface TarEntry {
  readonly name: string;
  readonly type?: "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";
  readonly content?: Uint8Array | string;
  readonly linkName?: string;
  /** Permission bits as in stat(2). Default 0755 for directories, 0644 otherwise. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

const typeFlag = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
} as const;

const blockBytes = 512;
const encoder = new TextEncoder();

/** An archive in ustar format (POSIX.1-1988), with GNU's long-name entries where a name needs one. */
export function packTar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  return concatBytes([...entries.flatMap(packEntry), new Uint8Array(2 * blockBytes)]);
}

function packEntry(entry: TarEntry): Uint8Array[] {
  const content = typeof entry.content === "string" ? encoder.encode(entry.content) : entry.content;
  return [
    ...longName("L", entry.name),
    ...longName("K", entry.linkName ?? ""),
    header(entry, typeFlag[entry.type ?? "file"], content?.length ?? 0),
    ...padded(content),
  ];
}

function longName(flag: "L" | "K", name: string): Uint8Array[] {
  const bytes = encoder.encode(`${name}\0`);
  if (bytes.length <= 100) return [];
  return [header({ name: "././@LongLink" }, flag, bytes.length), ...padded(bytes)];
}

function header(entry: TarEntry, flag: string, sizeBytes: number): Uint8Array {
  const block = new Uint8Array(blockBytes);
  const text = (offset: number, length: number, value: string) =>
    block.set(encoder.encode(value).subarray(0, length), offset);
  const octal = (offset: number, length: number, value: number) =>
    text(offset, length, `${value.toString(8).padStart(length - 1, "0")}\0`);
  text(0, 100, entry.name);
  octal(100, 8, entry.mode ?? (entry.type === "directory" ? 0o755 : 0o644));
  octal(108, 8, entry.uid ?? 0);
  octal(116, 8, entry.gid ?? 0);
  octal(124, 12, sizeBytes);
  octal(136, 12, entry.mtime ?? 0);
  text(148, 8, "        ");
  text(156, 1, flag);
  text(157, 100, entry.linkName ?? "");
  text(257, 8, "ustar\x0000");
  octal(329, 8, entry.major ?? 0);
  octal(337, 8, entry.minor ?? 0);
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(148, 8, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function padded(content: Uint8Array | undefined): Uint8Array[] {
  if (content === undefined || content.length === 0) return [];
  return [content, new Uint8Array((blockBytes - (content.length % blockBytes)) % blockBytes)];
}

export interface ImageParts {
  /** `name:tag` references; the archive may have none. */
  readonly tags: readonly string[];
  /** Uncompressed layer archives, base first. */
  readonly layers: readonly Uint8Array[];
  /** The `config` object of the image config: Cmd, Env, … */
  readonly config: Readonly<Record<string, unknown>>;
  /** `amd64`, `arm64`, …; default: this machine's. */
  readonly architecture?: string;
  /** RFC 3339; default: the beginning of 1970. */
  readonly created?: string;
  /** Of the image config; default: one line for each layer. */
  readonly history?: readonly Readonly<Record<string, unknown>>[];
}

/** An archive that is both: what `docker save` writes (manifest.json) and an OCI layout (index.json). */
export function packImage(parts: ImageParts): Uint8Array<ArrayBuffer> {
  const layers = parts.layers.map(blobOf);
  const config = blobOf(imageConfig(parts, layers));
  const manifest = blobOf(
    json({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
      layers: layers.map((layer) => descriptor(layer, "application/vnd.oci.image.layer.v1.tar")),
    }),
  );
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: parts.tags.map((tag) => ({
      ...descriptor(manifest, "application/vnd.oci.image.manifest.v1+json"),
      annotations: {
        "io.containerd.image.name": tag.includes("/") ? tag : `docker.io/library/${tag}`,
        "org.opencontainers.image.ref.name": tag.slice(tag.lastIndexOf(":") + 1),
      },
    })),
  };
  const saved = [{ Config: config.path, RepoTags: parts.tags, Layers: layers.map((layer) => layer.path) }];
  return packTar([
    { name: "blobs/", type: "directory" },
    { name: "blobs/sha256/", type: "directory" },
    ...[manifest, config, ...layers].map((blob) => ({ name: blob.path, content: blob.bytes })),
    { name: "index.json", content: json(index) },
    { name: "manifest.json", content: json(saved) },
    { name: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
  ]);
}

interface Blob {
  readonly path: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

function blobOf(bytes: Uint8Array): Blob {
  const hex = createHash("sha256").update(bytes).digest("hex");
  return { path: `blobs/sha256/${hex}`, digest: `sha256:${hex}`, bytes };
}

function imageConfig(parts: ImageParts, layers: readonly Blob[]): Uint8Array {
  return json({
    created: parts.created ?? "1970-01-01T00:00:00Z",
    architecture: parts.architecture ?? hostArchitecture(),
    os: "linux",
    config: parts.config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
    history:
      parts.history ?? layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "image-archive" })),
  });
}

function descriptor(blob: Blob, mediaType: string) {
  return { mediaType, digest: blob.digest, size: blob.bytes.length };
}

/** This machine's architecture in the words of GOARCH. */
export function hostArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
