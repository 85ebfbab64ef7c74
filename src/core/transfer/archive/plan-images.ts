import { invalidParameter, notFound, systemError } from "../../../errors/platform-error.ts";
import { type Digest, digestOf } from "../../../formats/digest.ts";
import { JsonFields } from "../../../formats/json-fields.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../../formats/oci-image.ts";
import { parseImageConfig, parseIndex, parseManifestDocument } from "../../../formats/parse-oci-image.ts";
import {
  choosePlatform,
  formatPlatform,
  type Platform,
  platformDistance,
} from "../../../formats/platform.ts";
import { isIndex } from "../../images/image-platforms.ts";
import { layerCompression } from "../../unpack/decompress.ts";
import { type ArchiveFiles, readDocument, type SpooledFile } from "./archive-files.ts";

/** An image of the archive, and the files that its blobs are in. */
export interface PlannedImage {
  readonly manifest: Descriptor;
  readonly index?: Descriptor | undefined;
  readonly manifestBytes: Uint8Array;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly Digest[];
  readonly files: readonly SpooledFile[];
  readonly repoTags: readonly string[];
}

/** Indexes may hold indexes, but not for ever. */
const maxIndexDepth = 5;

/**
 * Which images an archive holds: by manifest.json (`docker save`, old and new layout) where there is one, else by
 * index.json (OCI layout). Reads the small documents, touches no store.
 *
 * `isPlatformWanted`: images for other platforms than these are left out.
 *
 * Errors: InvalidParameter, naming the file or field, for an archive that is no image archive or not complete;
 *         NotFound for a platform that is wanted and not there.
 */
export function planImages(
  files: ArchiveFiles,
  platforms: readonly Platform[],
  isPlatformWanted = false,
): PlannedImage[] {
  const images = allImages(files, platforms, isPlatformWanted);
  if (!isPlatformWanted) return images;
  const isFor = (platform: Platform) => (image: PlannedImage) =>
    platformDistance(platform, platformOf(image)) !== undefined;
  const missing = platforms.find((platform) => !images.some(isFor(platform)));
  if (missing === undefined) return images.filter((image) => platforms.some((each) => isFor(each)(image)));
  const offered = [...new Set(images.map((image) => formatPlatform(platformOf(image))))];
  throw notFound(`image archive: it has no image for ${formatPlatform(missing)}`, {
    code: "archive.platform",
    hint: `it has ${offered.join(", ")}`,
  });
}

function platformOf({ files, config }: PlannedImage): Platform {
  const file = files.find(({ digest }) => digest === config.digest);
  if (file === undefined) throw systemError(`config ${config.digest} of the archive is not among its files`);
  return parseImageConfig(readDocument(file), `config ${file.name} of the archive`);
}

/** manifest.json has one image for a name; the index has more platforms of it, for those who want them. */
function allImages(
  files: ArchiveFiles,
  platforms: readonly Platform[],
  isPlatformWanted: boolean,
): PlannedImage[] {
  const dockerManifest = files.find("manifest.json");
  const index = files.find("index.json");
  const indexed = index ? ociImages(files, index, platforms, dockerManifest !== undefined) : [];
  if (dockerManifest) {
    const images = dockerImages(files, dockerManifest, indexed);
    const others = indexed.filter(({ config }) => images.every((one) => one.config.digest !== config.digest));
    return isPlatformWanted ? [...images, ...others] : images;
  }
  if (index) return indexed;
  throw invalidParameter("image archive: it has neither manifest.json nor index.json", {
    code: "archive.format",
    hint: "`load` takes archives made by `docker save`, and OCI layouts; a plain file system is for `import`",
  });
}

function dockerImages(
  files: ArchiveFiles,
  file: SpooledFile,
  indexed: readonly PlannedImage[],
): PlannedImage[] {
  return dockerManifestEntries(file).map((entry) => {
    const repoTags = entry.strings("RepoTags") ?? [];
    const configFile = files.require(entry.requiredString("Config"));
    // A manifest that the archive brings along keeps its digest, by which others know the image.
    const own = indexed.find(({ config }) => config.digest === configFile.digest);
    if (own) return { ...own, repoTags };
    const layerFiles = (entry.strings("Layers") ?? []).map((name) => files.require(name));
    return makeImage(configFile, layerFiles, repoTags);
  });
}

/** The file is a list, and JsonFields reads objects. */
function dockerManifestEntries(file: SpooledFile): JsonFields[] {
  const name = "manifest.json of the archive";
  let images: unknown;
  try {
    images = JSON.parse(new TextDecoder().decode(readDocument(file)));
  } catch (cause) {
    throw invalidParameter(`${name} is not valid JSON`, { code: "json.syntax", cause });
  }
  return JsonFields.parse(name, JSON.stringify({ images })).requiredObjects("images");
}

/** An OCI manifest over config and layers as they are: the same archive gives the same manifest, always. */
function makeImage(
  configFile: SpooledFile,
  layerFiles: readonly SpooledFile[],
  repoTags: readonly string[],
): PlannedImage {
  const diffIds = diffIdsOf(configFile, layerFiles.length);
  const config = { mediaType: mediaTypes.ociConfig, digest: configFile.digest, size: configFile.size };
  const layers = layerFiles.map((file) => ({
    mediaType: layerType(file),
    digest: file.digest,
    size: file.size,
  }));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  return {
    manifest: {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(manifestBytes),
      size: manifestBytes.length,
    },
    manifestBytes,
    config,
    layers,
    diffIds,
    files: [configFile, ...layerFiles],
    repoTags,
  };
}

const layerTypes = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
} as const;

const layerType = (file: SpooledFile) =>
  layerTypes[layerCompression(file.head, `layer ${file.name} of the archive`)];

function diffIdsOf(configFile: SpooledFile, layers: number): readonly Digest[] {
  const config = parseImageConfig(readDocument(configFile), `config ${configFile.name} of the archive`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length === layers) return diffIds;
  throw invalidParameter(
    `invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${layers}`,
    {
      code: "archive.layers",
    },
  );
}

/** `lenient`: manifest.json decides, and only manifests that are complete are of interest. */
function ociImages(
  files: ArchiveFiles,
  index: SpooledFile,
  platforms: readonly Platform[],
  lenient: boolean,
): PlannedImage[] {
  const images = new Map<Digest, PlannedImage>();
  const { manifests } = parseIndex(readDocument(index), "", "index.json of the archive");
  for (const descriptor of manifests.filter(isImage)) {
    const found = platforms.flatMap((platform) => {
      const manifest = resolveManifest(files, descriptor, platform, 0);
      return (manifest && ociImage(files, manifest, lenient)) ?? [];
    });
    if (found.length === 0 && !lenient) {
      throw invalidParameter(`image archive: ${descriptor.digest} is not in it for this platform`, {
        code: "archive.incomplete",
      });
    }
    for (const image of new Map(found.map((one) => [one.manifest.digest, one])).values()) {
      const repoTags = [...(images.get(image.manifest.digest)?.repoTags ?? []), ...tagsOf(descriptor)];
      images.set(image.manifest.digest, { ...withIndex(files, image, descriptor), repoTags });
    }
  }
  return [...images.values()];
}

/** An image that came by an index keeps it. */
function withIndex(files: ArchiveFiles, image: PlannedImage, descriptor: Descriptor): PlannedImage {
  const file = isIndex(descriptor) ? files.blob(descriptor) : undefined;
  if (file === undefined) return image;
  const { mediaType } = descriptor;
  return {
    ...image,
    index: { mediaType, digest: file.digest, size: file.size },
    files: [...image.files, file],
  };
}

/** Attestations are about images, and are none. */
const isImage = ({ annotations, platform }: Descriptor): boolean =>
  annotations?.["vnd.docker.reference.type"] === undefined && platform?.os !== "unknown";

interface ResolvedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** The manifest itself, or the one for the platform out of an index. */
function resolveManifest(
  files: ArchiveFiles,
  descriptor: Descriptor,
  platform: Platform,
  depth: number,
): ResolvedManifest | undefined {
  const file = files.blob(descriptor);
  if (file === undefined || depth > maxIndexDepth) return undefined;
  const bytes = readDocument(file);
  const document = parseManifestDocument(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  if (document.kind === "manifest") {
    const { mediaType } = document;
    return { descriptor: { mediaType, digest: file.digest, size: file.size }, bytes, manifest: document };
  }
  const present = document.manifests.filter((each) => files.blob(each) !== undefined);
  const chosen = choosePlatform(present, platform) ?? (present.length === 1 ? present[0] : undefined);
  return chosen && resolveManifest(files, chosen, platform, depth + 1);
}

function ociImage(
  files: ArchiveFiles,
  { descriptor, bytes, manifest }: ResolvedManifest,
  lenient: boolean,
): PlannedImage | undefined {
  const blobs = [manifest.config, ...manifest.layers];
  const found = blobs.map((blob) => files.blob(blob)).filter((file) => file !== undefined);
  if (found.length < blobs.length && lenient) return undefined;
  for (const blob of blobs) {
    if (files.blob(blob) !== undefined) continue;
    throw invalidParameter(`image archive: it has no blob ${blob.digest}`, { code: "archive.incomplete" });
  }
  const [configFile] = found;
  if (configFile === undefined) return undefined;
  return {
    manifest: descriptor,
    manifestBytes: bytes,
    config: manifest.config,
    layers: manifest.layers,
    diffIds: diffIdsOf(configFile, manifest.layers.length),
    files: found,
    repoTags: [],
  };
}

/** Containerd's annotation has the full name; the OCI one often has a tag alone, which names no image. */
function tagsOf({ annotations }: Descriptor): string[] {
  const full = annotations?.["io.containerd.image.name"];
  const name = annotations?.["org.opencontainers.image.ref.name"];
  if (full !== undefined) return [full];
  return name !== undefined && /[/:]/.test(name) ? [name] : [];
}
