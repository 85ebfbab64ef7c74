import { notFound } from "../../errors/platform-error.ts";
import { type Digest, type DigestAlgorithm, digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import type { Platform } from "../../formats/platform.ts";
import type { BlobTarget, OnRetry, RemoteRepository } from "./contract.ts";

export interface FakeImage {
  readonly target: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface FakeImageOptions {
  readonly platform?: Platform;
  readonly diffIds?: readonly Digest[];
  /** What the manifest says of a layer. */
  readonly layerOf?: (layer: Descriptor) => Descriptor;
  readonly configType?: string;
  readonly algorithm?: DigestAlgorithm;
}

/** For tests: a repository in memory, which hands out blobs two bytes at a time. */
export class FakeRemote implements RemoteRepository {
  /** `resolve`, `manifest DIGEST`, `blob DIGEST OFFSET`. */
  readonly calls: string[] = [];
  maxOpenBlobs = 0;
  /** Called after each piece of a blob was taken. */
  onBytes: ((digest: Digest, position: number) => void) | undefined;
  /** These blobs give nothing before `count` blobs are open at the same time. */
  held: { readonly digests: ReadonlySet<Digest>; readonly count: number } | undefined;
  tagNames: string[] = [];
  /** Said, not waited for, before every answer. */
  pauseSeconds = 0;
  /** Called when bytes of a blob were no good: true when another source is there. */
  onReject: ((digest: Digest) => boolean) | undefined;
  private openBlobs = 0;
  private readonly contents = new Map<Digest, Uint8Array>();
  private latest: Descriptor | undefined;

  /** What the repository means from now on. */
  addImage(parts: readonly string[], options: FakeImageOptions = {}): FakeImage {
    const plain = parts.map((part) => this.put(part, mediaTypes.ociLayer));
    const layers = plain.map((layer) => options.layerOf?.(layer) ?? layer);
    const platform = options.platform ?? { os: "linux", architecture: "amd64" };
    const diffIds = options.diffIds ?? parts.map((part) => digestOf(part));
    const rootfs = { type: "layers", diff_ids: diffIds };
    const config = this.put(
      JSON.stringify({ ...platform, rootfs }),
      options.configType ?? mediaTypes.ociConfig,
    );
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
    const target = this.put(JSON.stringify(document), mediaTypes.ociManifest, options.algorithm);
    this.latest = target;
    return { target, config, layers };
  }

  /** The same image once more, by a document that says of its config, layer or manifest that it has one byte. */
  addLyingImage({ target, config, layers }: FakeImage, about: "config" | "layer" | "manifest"): void {
    const small = (blob: Descriptor) => ({ ...blob, size: 1 });
    if (about === "manifest") {
      const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [small(target)] };
      this.latest = this.put(JSON.stringify(document), mediaTypes.ociIndex);
      return;
    }
    const parts =
      about === "config" ? { config: small(config), layers } : { config, layers: layers.map(small) };
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, ...parts };
    this.latest = this.put(JSON.stringify(document), mediaTypes.ociManifest);
  }

  addIndex(entries: readonly { platform: Platform; parts: readonly string[] }[]): FakeImage[] {
    const images = entries.map(({ platform, parts }) => this.addImage(parts, { platform }));
    const manifests = images.map(({ target }, index) => ({ ...target, platform: entries[index]?.platform }));
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    this.latest = this.put(JSON.stringify(document), mediaTypes.ociIndex);
    return images;
  }

  /** From now on the blob has other bytes. */
  replaceBlob(digest: Digest, text: string): void {
    this.contents.set(digest, new TextEncoder().encode(text));
  }

  private put(text: string, mediaType: string, algorithm?: DigestAlgorithm): Descriptor {
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(bytes, algorithm);
    this.contents.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Settles when no blob is being read. */
  async quiet(): Promise<void> {
    while (this.openBlobs > 0) await Bun.sleep(1);
  }

  /** Settles when the latest image was asked for. */
  async asked(): Promise<void> {
    while (this.calls.at(-1) === undefined) await Bun.sleep(0);
  }

  async resolve(_signal?: AbortSignal, onRetry?: OnRetry): Promise<Descriptor> {
    if (this.pauseSeconds > 0) onRetry?.(this.pauseSeconds);
    this.calls.push("resolve");
    if (this.latest === undefined) throw notFound("no image");
    return this.latest;
  }

  async tags(): Promise<string[]> {
    this.calls.push("tags");
    return this.tagNames;
  }

  async manifest({ digest }: Descriptor): Promise<Uint8Array> {
    this.calls.push(`manifest ${digest}`);
    return this.contentOf(digest);
  }

  async *blob(
    { digest }: Descriptor,
    offset: number,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): AsyncGenerator<Uint8Array> {
    if (this.pauseSeconds > 0) onRetry?.(this.pauseSeconds);
    this.calls.push(`blob ${digest} ${offset}`);
    this.maxOpenBlobs = Math.max(this.maxOpenBlobs, ++this.openBlobs);
    try {
      if (this.held?.digests.has(digest)) {
        while (this.maxOpenBlobs < this.held.count) await Bun.sleep(1);
        await Bun.sleep(20); // one more than allowed would open meanwhile
      }
      const bytes = this.contentOf(digest);
      for (let position = offset; position < bytes.length; ) {
        signal.throwIfAborted();
        const piece = bytes.slice(position, position + 2);
        position += piece.length;
        yield piece;
        await Bun.sleep(0);
        this.onBytes?.(digest, position);
      }
    } finally {
      this.openBlobs--;
    }
  }

  async download(
    descriptor: Descriptor,
    target: BlobTarget,
    signal: AbortSignal,
    onRetry?: OnRetry,
  ): Promise<void> {
    for await (const chunk of this.blob(descriptor, target.offset, signal, onRetry))
      await target.write(chunk);
  }

  reject({ digest }: Descriptor): boolean {
    return this.onReject?.(digest) ?? false;
  }

  private contentOf(digest: Digest): Uint8Array {
    const bytes = this.contents.get(digest);
    if (bytes === undefined) throw notFound(`no blob ${digest}`);
    return bytes;
  }
}
