import { digestAlgorithm, digestHex } from "../../../formats/digest.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../../formats/oci-image.ts";
import { familiarName, familiarReference, parseReference } from "../../../formats/reference.ts";

/** What the archive says of one image. */
export interface PlannedImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** Canonical, with tag. */
  readonly tags: readonly string[];
  /** What the tags stand for, where it has several images of the archive. */
  readonly index?: Descriptor | undefined;
}

/** One member of the archive, in its order. */
export type ArchiveMember =
  | { readonly path: string; readonly kind: "directory" }
  | { readonly path: string; readonly kind: "text"; readonly text: string }
  | { readonly path: string; readonly kind: "blob"; readonly blob: Descriptor };

/**
 * Plans an archive that is an OCI layout and a `docker save` archive at once: both name the same blobs.
 * Members are sorted and carry no time: the same images give the same bytes. `docker save` knows one image for a name:
 * of those of an index it has the first.
 * Spec: OCI image-spec, "Image Layout"; engine-api, section 10.
 */
export function planArchive(images: readonly PlannedImage[]): ArchiveMember[] {
  const blobs = new Map<string, Descriptor>();
  for (const { descriptor, manifest, index } of images) {
    for (const blob of [descriptor, manifest.config, ...manifest.layers, ...(index ? [index] : [])]) {
      blobs.set(blobPath(blob), blob);
    }
  }
  const named = images.filter(
    ({ index }, at) => index === undefined || images.findIndex((other) => other.index === index) === at,
  );
  const algorithms = new Set([...blobs.values()].map(({ digest }) => digestAlgorithm(digest)));
  const repositories = repositoriesOf(named);
  return [
    { path: "blobs/", kind: "directory" },
    ...[...algorithms].sort().map((name) => ({ path: `blobs/${name}/`, kind: "directory" }) as const),
    ...[...blobs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, blob]) => ({ path, kind: "blob", blob }) as const),
    json("index.json", ociIndex(named)),
    json("manifest.json", named.map(dockerManifest)),
    json("oci-layout", { imageLayoutVersion: "1.0.0" }),
    ...(Object.keys(repositories).length > 0 ? [json("repositories", repositories)] : []),
  ];
}

const json = (path: string, value: unknown): ArchiveMember => ({
  path,
  kind: "text",
  text: JSON.stringify(value),
});

const blobPath = ({ digest }: Descriptor): string => `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;

function ociIndex(images: readonly PlannedImage[]): object {
  const manifests = images.flatMap(({ descriptor, index, tags }) => {
    const { mediaType, digest, size } = index ?? descriptor;
    const bare = { mediaType, digest, size };
    if (tags.length === 0) return [bare];
    return tags.map((name) => ({
      ...bare,
      annotations: {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": parseReference(name).tag ?? "",
      },
    }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

const familiar = (name: string): string => familiarReference(parseReference(name));

function dockerManifest({ manifest, tags }: PlannedImage): object {
  return {
    Config: blobPath(manifest.config),
    RepoTags: tags.length > 0 ? tags.map(familiar) : null,
    Layers: manifest.layers.map(blobPath),
  };
}

/** Of the first layout of Docker: by repository and tag the last layer. */
function repositoriesOf(images: readonly PlannedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { manifest, tags } of images) {
    const top = manifest.layers.at(-1);
    if (top === undefined) continue;
    for (const reference of tags.map(parseReference)) {
      const name = familiarName(reference);
      repositories[name] = { ...repositories[name], [reference.tag ?? "latest"]: digestHex(top.digest) };
    }
  }
  return repositories;
}
