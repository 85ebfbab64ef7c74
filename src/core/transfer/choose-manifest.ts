import { invalidParameter, notFound } from "../../errors/platform-error.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../formats/oci-image.ts";
import { type ManifestDocument, parseManifestDocument } from "../../formats/parse-oci-image.ts";
import { choosePlatform, formatPlatform, type Platform } from "../../formats/platform.ts";

export interface FetchedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface ChosenManifest {
  /** The manifest's own, with the media type that the document names. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** The indexes on the way, if any, and the manifest: what has to be stored. */
  readonly documents: readonly FetchedDocument[];
}

/** OCI image-spec, "Image Index": indexes can be nested; nobody needs more. */
const maxDepth = 4;

/**
 * Follows a descriptor to the manifest for one platform. `fetch` brings the verified bytes of a document.
 * Errors: NotFound in Docker's words when no entry fits; InvalidParameter for documents that are broken, or
 * are no images.
 */
export async function chooseManifest(
  target: Descriptor,
  platform: Platform,
  fetch: (descriptor: Descriptor) => Promise<Uint8Array>,
): Promise<ChosenManifest> {
  const documents: FetchedDocument[] = [];
  let next = target;
  for (let depth = 0; depth < maxDepth; depth++) {
    const bytes = await fetch(next);
    const document = parseManifestDocument(bytes, next.mediaType, `manifest ${next.digest}`);
    const descriptor = { mediaType: document.mediaType, digest: next.digest, size: bytes.length };
    documents.push({ descriptor, bytes });
    if (document.kind === "manifest") {
      requireImage(document, descriptor);
      return { descriptor, manifest: document, documents };
    }
    next = chooseEntry(document, platform);
  }
  throw invalidParameter(`manifest ${target.digest}: more than ${maxDepth} indexes inside one another`, {
    code: "manifest.nested",
  });
}

function chooseEntry(
  { manifests }: Extract<ManifestDocument, { kind: "index" }>,
  platform: Platform,
): Descriptor {
  const images = manifests.filter(({ mediaType }) => documentTypes.includes(mediaType));
  // An entry may leave its platform out; its config tells it then.
  const entry = choosePlatform(images, platform) ?? images.find((one) => one.platform === undefined);
  if (entry) return entry;
  const offered = manifests.flatMap((one) => (one.platform ? [formatPlatform(one.platform)] : []));
  const known = offered.filter((text) => !text.startsWith("unknown/"));
  throw notFound(`no matching manifest for ${formatPlatform(platform)} in the manifest list entries`, {
    code: "manifest.platform",
    hint: known.length > 0 ? `the image is there for ${known.join(", ")}` : undefined,
  });
}

/** An entry of another type is nothing that could be run (OCI image-spec, "Image Index": no error for unknown ones). */
const documentTypes: readonly string[] = [
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
];

const imageConfigTypes: readonly string[] = [
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Very old pushes have no better type.
  "application/octet-stream",
];

function requireImage({ config, artifactType }: Manifest, { digest }: Descriptor): void {
  if (imageConfigTypes.includes(config.mediaType)) return;
  throw invalidParameter(
    `manifest ${digest} is not a container image but an artifact of type ${artifactType ?? config.mediaType}`,
    { code: "manifest.artifact" },
  );
}
