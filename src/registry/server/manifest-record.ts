import { messageOf } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { bareMediaType, type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { type ManifestDocument, parseManifestDocument } from "../../formats/parse-oci-image.ts";
import { checkDigest } from "./names.ts";
import { refusal } from "./registry-error.ts";

const manifestTypes: readonly string[] = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
];

/** What the registry remembers of a manifest beside its bytes: enough to serve and to list it. */
export interface ManifestRecord {
  /** As the list of referrers shows it. */
  readonly descriptor: Descriptor;
  readonly subject?: Digest;
}

export interface ReadManifest {
  readonly record: ManifestRecord;
  /** Must be in the repository: config and layers. */
  readonly blobs: readonly Digest[];
  /** Must be in the repository: the members of an index. */
  readonly manifests: readonly Digest[];
  /** All that it names, whether it has to be there or not. */
  readonly everything: readonly Digest[];
}

/**
 * Reads a manifest or an index that is being pushed.
 *
 * In:     the exact bytes, their digest, and the Content-Type.
 * Errors: MANIFEST_INVALID naming the field, and for Docker's schema 1.
 * Spec:   distribution-spec, "Pushing Manifests" and "Listing Referrers" for `artifactType` and annotations.
 */
export function readManifest(
  bytes: Uint8Array,
  digest: Digest,
  contentType: string | undefined,
): ReadManifest {
  try {
    const document = parseManifestDocument(bytes, contentType);
    const fields = JsonFields.parse("manifest", bytes);
    const subject = fields.object("subject")?.requiredString("digest");
    const artifactType = artifactTypeOf(document, fields);
    return {
      record: {
        descriptor: {
          mediaType: mediaTypeOf(document, bareMediaType(contentType)),
          digest,
          size: bytes.length,
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
        },
        ...(subject === undefined ? {} : { subject: checkDigest(subject) }),
      },
      ...contentOf(document),
    };
  } catch (error) {
    throw refusal("MANIFEST_INVALID", messageOf(error), error);
  }
}

/** Docker's documents need not say what they are; then the Content-Type does, if it is the type of a manifest. */
function mediaTypeOf(document: ManifestDocument, contentType: string): string {
  return manifestTypes.includes(contentType) ? contentType : document.mediaType;
}

/** In a manifest the config's media type stands in for an artifact type that is missing. */
function artifactTypeOf(document: ManifestDocument, fields: JsonFields): string | undefined {
  return fields.string("artifactType") ?? ("config" in document ? document.config.mediaType : undefined);
}

function contentOf(document: ManifestDocument): Omit<ReadManifest, "record"> {
  if (document.kind === "index") {
    const manifests = document.manifests.map(({ digest }) => digest);
    return { blobs: [], manifests, everything: manifests };
  }
  // Layers with URLs lie elsewhere, and no registry has to hold them (image-spec, "Non-distributable layers").
  const own = document.layers.filter(({ urls }) => urls === undefined || urls.length === 0);
  const digests = (descriptors: readonly Descriptor[]) =>
    [document.config, ...descriptors].map(({ digest }) => digest);
  return { blobs: digests(own), manifests: [], everything: digests(document.layers) };
}
