import { invalidParameter, notFound, PlatformError, unavailable } from "../../errors/platform-error.ts";
import { digestAlgorithm, digestOf } from "../../formats/digest.ts";
import type { ImageConfigFile, Manifest } from "../../formats/oci-image.ts";
import {
  type ManifestDocument,
  parseImageConfig,
  parseManifestDocument,
} from "../../formats/parse-oci-image.ts";
import { pickPlatform } from "../../formats/platform.ts";
import { canonicalReference, parseReference, type Reference, withDigest } from "../../formats/reference.ts";
import type { ContentStore, Descriptor } from "../content/contract.ts";
import type { ImageStore } from "../images/contract.ts";
import type { Registries, RegistryCredentials } from "../transfer/contract.ts";
import type { IndexMember } from "./contract.ts";

/** A manifest or index with its bytes, and where the blobs that it names can be read. */
export interface FoundManifest {
  readonly source: IndexMember["source"];
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly document: ManifestDocument;
  /** `end` is exclusive; without a range all of it. */
  blob(
    descriptor: Descriptor,
    range?: { readonly start: number; readonly end: number },
  ): AsyncIterable<Uint8Array>;
  /** Another manifest of the same repository. */
  manifest(descriptor: Descriptor): Promise<Uint8Array>;
}

/** By the domain of references. */
export type CredentialsOf = (domain: string) => RegistryCredentials | undefined;

const maxConfigBytes = 8 << 20;

/** Finds manifests where their names say, in a registry, or else among the images of this machine. */
export class ManifestSources {
  constructor(
    private readonly registries: () => Promise<Registries>,
    private readonly images: Pick<ImageStore, "find" | "target">,
    private readonly content: ContentStore,
  ) {}

  /**
   * The registry first: an image of this name that is here may be an old one.
   * Errors: NotFound in Docker's words; those of the registry where nothing is here either.
   */
  async find(
    reference: Reference,
    credentialsOf: CredentialsOf,
    signal: AbortSignal,
  ): Promise<FoundManifest> {
    try {
      return await this.inRegistry(reference, credentialsOf, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const local = await this.#here(reference);
      if (local) return local;
      const isAbsent = error instanceof PlatformError && error.kind === "NotFound";
      throw isAbsent ? noSuchManifest(reference, error) : error;
    }
  }

  /** A member of an index, by its digest: the tag can mean something else by now. */
  async again(
    { reference, descriptor, source }: IndexMember,
    credentialsOf: CredentialsOf,
    signal: AbortSignal,
  ): Promise<FoundManifest> {
    const name = parseReference(reference);
    if (source === "registry") {
      return await this.inRegistry(withDigest(name, descriptor.digest), credentialsOf, signal);
    }
    const found = await this.#here(name);
    if (found?.descriptor.digest === descriptor.digest) return found;
    throw notFound(`${reference} no longer means ${descriptor.digest} on this machine`, {
      code: "manifest.missing",
      hint: "take it into the list again with `manifest create --amend`",
    });
  }

  /** The registry alone. Errors: its own, in Docker's words for a pull. */
  async inRegistry(
    reference: Reference,
    credentialsOf: CredentialsOf,
    signal: AbortSignal,
  ): Promise<FoundManifest> {
    const registries = await this.registries();
    const remote = registries.repository(reference, credentialsOf(reference.domain));
    const descriptor = await remote.resolve(signal);
    const bytes = await remote.manifest(descriptor, signal);
    return {
      ...parsed("registry", descriptor, bytes),
      blob: (blob, { start, end } = { start: 0, end: blob.size }) =>
        atMost(end - start, remote.blob(blob, start, signal)),
      manifest: (manifest) => remote.manifest(manifest, signal),
    };
  }

  /** Undefined unless an image of this machine has the name. */
  async #here(reference: Reference): Promise<FoundManifest | undefined> {
    const name = canonicalReference(reference);
    const image = this.images.find(name);
    if (image === undefined) return undefined;
    const target = this.images.target(name);
    const descriptor = target && this.content.has(target.digest) ? target : image.manifest;
    return {
      ...parsed("local", descriptor, await this.content.read(descriptor.digest)),
      blob: ({ digest }, range) => this.content.readStream(digest, range),
      manifest: ({ digest }) => this.content.read(digest),
    };
  }
}

const parsed = (source: IndexMember["source"], descriptor: Descriptor, bytes: Uint8Array) => {
  const document = parseManifestDocument(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  const { digest } = descriptor;
  return {
    source,
    descriptor: { mediaType: document.mediaType, digest, size: bytes.length },
    bytes,
    document,
  };
};

/** A registry gives a blob from a place to its end, or more than was promised. */
async function* atMost(bytes: number, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = bytes;
  if (left === 0) return;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}

/** A member for an index, with the platform that its config says. Errors: InvalidParameter for an index. */
export async function memberOf(reference: string, found: FoundManifest): Promise<IndexMember> {
  const { document, descriptor, source } = found;
  if (document.kind === "index") {
    throw invalidParameter(`${reference} is a manifest list`, {
      code: "manifest.kind",
      hint: "name the manifests in it by their digests; `manifest inspect` shows them",
    });
  }
  const config = await readConfig(document, found);
  return { reference, source, descriptor: { ...descriptor, platform: pickPlatform(config) } };
}

async function readConfig({ config }: Manifest, { blob }: FoundManifest): Promise<ImageConfigFile> {
  if (config.size > maxConfigBytes) {
    throw invalidParameter(`image config ${config.digest} has ${config.size} bytes, more than is sensible`);
  }
  const parts: Uint8Array[] = [];
  for await (const part of blob(config)) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (digestOf(bytes, digestAlgorithm(config.digest)) !== config.digest) {
    throw unavailable(`image config verification failed for digest ${config.digest}`, {
      code: "content.digest-mismatch",
    });
  }
  return parseImageConfig(bytes, `image config ${config.digest}`);
}

export function noSuchManifest(reference: Reference, cause?: unknown): PlatformError {
  return notFound(`no such manifest: ${canonicalReference(reference)}`, { code: "manifest.missing", cause });
}
