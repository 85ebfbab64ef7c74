import { messageOf } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { bareMediaType, type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { readDocumentKind } from "../../formats/parse-oci-image.ts";
import { checkDigest } from "./names.ts";
import { refusal } from "./registry-error.ts";

const ociTypeOf = { manifest: mediaTypes.ociManifest, index: mediaTypes.ociIndex } as const;
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
  /** Must be there as one of both: members of an index that are no images, such as the layers of a build cache. */
  readonly others: readonly Digest[];
  /** All that it names, whether it has to be there or not. */
  readonly everything: readonly Digest[];
}

/**
 * Reads a manifest or an index that is being pushed. The registry keeps the bytes for others: it is strict about what it
 * has to know, and leaves the rest (platforms, for instance) to those who use it.
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
    const fields = JsonFields.parse("manifest", bytes);
    const outer = bareMediaType(contentType);
    const kind = readDocumentKind(fields, outer, "manifest");
    const subject = fields.object("subject")?.requiredString("digest");
    const config = kind === "manifest" ? fields.requiredObject("config") : undefined;
    const artifactType = fields.string("artifactType") ?? config?.requiredString("mediaType");
    const annotations = fields.stringMap("annotations");
    return {
      record: {
        descriptor: {
          mediaType: manifestTypes.includes(outer) ? outer : (fields.string("mediaType") ?? ociTypeOf[kind]),
          digest,
          size: bytes.length,
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(annotations === undefined ? {} : { annotations }),
        },
        ...(subject === undefined ? {} : { subject: checkDigest(subject) }),
      },
      ...(config === undefined ? membersOf(fields) : blobsOf(config, fields)),
    };
  } catch (error) {
    throw refusal("MANIFEST_INVALID", messageOf(error), error);
  }
}

type Content = Omit<ReadManifest, "record">;

function blobsOf(config: JsonFields, fields: JsonFields): Content {
  const own = linkFrom(config);
  const layers = (fields.objects("layers") ?? []).map(linkFrom);
  // Layers with URLs lie elsewhere, and no registry has to hold them (image-spec, "Non-distributable layers").
  const blobs = [own, ...layers.filter(({ isElsewhere }) => !isElsewhere)].map(({ digest }) => digest);
  return { blobs, manifests: [], others: [], everything: [own, ...layers].map(({ digest }) => digest) };
}

function membersOf(fields: JsonFields): Content {
  // A document that others could read as an image must not come in as an empty index.
  const foreign = ["config", "layers"].find((name) => fields.has(name));
  if (foreign !== undefined) throw fields.problem(foreign, "has no place in an index");
  const members = (fields.objects("manifests") ?? []).map(linkFrom);
  const digests = (areManifests: boolean) =>
    members
      .filter(({ mediaType }) => manifestTypes.includes(mediaType) === areManifests)
      .map(({ digest }) => digest);
  const [manifests, others] = [digests(true), digests(false)];
  return { blobs: [], manifests, others, everything: [...manifests, ...others] };
}

function linkFrom(fields: JsonFields) {
  fields.requiredSize("size");
  return {
    mediaType: fields.requiredString("mediaType"),
    digest: checkDigest(fields.requiredString("digest")),
    isElsewhere: (fields.strings("urls") ?? []).length > 0,
  };
}
