import { invalidParameter, notImplemented } from "../errors/platform-error.ts";
import { isDigest } from "./digest.ts";
import { definedOnly, JsonFields } from "./json-fields.ts";
import {
  bareMediaType,
  type Descriptor,
  type DocumentKind,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type ImageConfigFile,
  type Index,
  type Manifest,
  mediaTypes,
} from "./oci-image.ts";
import type { Platform } from "./platform.ts";

const kinds = new Map<string, DocumentKind>([
  [mediaTypes.ociIndex, "index"],
  [mediaTypes.dockerList, "index"],
  [mediaTypes.ociManifest, "manifest"],
  [mediaTypes.dockerManifest, "manifest"],
]);

/** A parsed document with the media type under which it is stored. */
export type ManifestDocument =
  | ({ readonly kind: "index" } & Index)
  | ({ readonly kind: "manifest" } & Manifest);

/**
 * Parses a manifest or an index, whichever the bytes are.
 *
 * In:     the exact bytes; the media type that came with them (a Content-Type or a descriptor's), if any;
 *         `name` for errors, usually the digest.
 * Errors: InvalidParameter naming the field that is wrong, and for a document that could be read as both
 *         kinds or that contradicts its media type; NotImplemented for Docker's schema 1.
 * Spec:   OCI image-spec, "Image Manifest", "Image Index"; "Media types" for the choice between them.
 */
export function parseManifestDocument(
  bytes: Uint8Array,
  mediaType = "",
  name = "manifest",
): ManifestDocument {
  const fields = JsonFields.parse(name, bytes);
  const kind = readDocumentKind(fields, bareMediaType(mediaType), name);
  return kind === "index" ? { kind, ...indexFrom(fields) } : { kind, ...manifestFrom(fields) };
}

/** As `parseManifestDocument`, but only a manifest will do. */
export function parseManifest(bytes: Uint8Array, mediaType = "", name = "manifest"): Manifest {
  const { kind, ...document } = parseManifestDocument(bytes, mediaType, name);
  if (kind === "manifest" && "layers" in document) return document;
  throw invalidParameter(`${name} is an index, not a manifest`, { code: "manifest.kind" });
}

/** As `parseManifestDocument`, but only an index will do. */
export function parseIndex(bytes: Uint8Array, mediaType = "", name = "index"): Index {
  const { kind, ...document } = parseManifestDocument(bytes, mediaType, name);
  if (kind === "index" && "manifests" in document) return document;
  throw invalidParameter(`${name} is a manifest, not an index`, { code: "manifest.kind" });
}

/**
 * Whether fields are those of a manifest or of an index. `mediaType` came with the document, without parameters; it may be
 * empty. Errors: as `parseManifestDocument`, but for fields that are missing.
 */
export function readDocumentKind(fields: JsonFields, mediaType: string, name: string): DocumentKind {
  refuseSchema1(fields, mediaType, name);
  return documentKind(fields, mediaType, name);
}

function refuseSchema1(fields: JsonFields, outer: string, name: string): void {
  const version = fields.wholeNumber("schemaVersion");
  const schema1 = [mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed] as readonly string[];
  if (version === 1 || schema1.includes(outer)) {
    throw notImplemented(`${name} is in Docker's image format schema 1, which is not supported`, {
      hint: "push the image again with a current tool; it then has schema 2 or OCI format",
      code: "manifest.schema1",
    });
  }
  if (version !== 2) throw fields.problem("schemaVersion", version === undefined ? "is missing" : "is not 2");
}

function documentKind(fields: JsonFields, outer: string, name: string): DocumentKind {
  const index = fields.has("manifests");
  const manifest = fields.has("config") || fields.has("layers");
  if (index && manifest) {
    throw invalidParameter(`${name} is ambiguous: it has both manifests and layers`, {
      code: "manifest.ambiguous",
    });
  }
  const inner = fields.string("mediaType") ?? "";
  if (kinds.has(outer) && kinds.has(inner) && outer !== inner) {
    throw invalidParameter(`${name} was sent as ${outer}, but says that it is ${inner}`, {
      code: "manifest.media-type",
    });
  }
  const said = kinds.get(inner) ?? kinds.get(outer);
  if (said === undefined && !index && !manifest) {
    throw invalidParameter(`${name} is neither a manifest nor an index`, { code: "manifest.kind" });
  }
  const kind = said ?? (index ? "index" : "manifest");
  if (inner !== "" && !kinds.has(inner)) throw fields.problem("mediaType", `is not supported: ${inner}`);
  return kind;
}

function indexFrom(fields: JsonFields): Index {
  return definedOnly<Index>({
    mediaType: fields.string("mediaType") ?? mediaTypes.ociIndex,
    manifests: fields.requiredObjects("manifests").map(descriptorFrom),
    annotations: fields.stringMap("annotations"),
  });
}

function manifestFrom(fields: JsonFields): Manifest {
  const subject = fields.object("subject");
  return definedOnly<Manifest>({
    mediaType: fields.string("mediaType") ?? mediaTypes.ociManifest,
    config: descriptorFrom(fields.requiredObject("config")),
    layers: fields.requiredObjects("layers").map(descriptorFrom),
    artifactType: fields.string("artifactType"),
    subject: subject && descriptorFrom(subject),
    annotations: fields.stringMap("annotations"),
  });
}

/** Reads a descriptor. Errors: InvalidParameter naming the field. OCI image-spec, "Content Descriptors". */
export function descriptorFrom(fields: JsonFields): Descriptor {
  const digest = fields.requiredString("digest");
  if (!isDigest(digest)) throw fields.problem("digest", `is not a sha256 or sha512 digest: ${digest}`);
  const platform = fields.object("platform");
  return definedOnly<Descriptor>({
    mediaType: fields.requiredString("mediaType"),
    digest,
    size: fields.requiredSize("size"),
    urls: fields.strings("urls"),
    annotations: fields.stringMap("annotations"),
    data: fields.string("data"),
    artifactType: fields.string("artifactType"),
    platform: platform && platformFrom(platform),
  });
}

function platformFrom(fields: JsonFields): Platform {
  return definedOnly<Platform>({
    os: fields.requiredString("os"),
    architecture: fields.requiredString("architecture"),
    variant: fields.string("variant"),
    "os.version": fields.string("os.version"),
    "os.features": fields.strings("os.features"),
  });
}

/**
 * Parses an image config file. Fields that it does not know are ignored.
 * Errors: InvalidParameter naming the field.
 * Spec:   OCI image-spec, "Image Configuration".
 */
export function parseImageConfig(bytes: Uint8Array, name = "image config"): ImageConfigFile {
  const fields = JsonFields.parse(name, bytes);
  const rootfs = fields.requiredObject("rootfs");
  if (rootfs.requiredString("type") !== "layers") throw fields.problem("rootfs.type", 'is not "layers"');
  const diffIds = (rootfs.strings("diff_ids") ?? []).map((text, index) => {
    if (!isDigest(text)) throw fields.problem(`rootfs.diff_ids[${index}]`, `is not a digest: ${text}`);
    return text;
  });
  const config = fields.object("config");
  return definedOnly<ImageConfigFile>({
    architecture: fields.requiredString("architecture"),
    os: fields.requiredString("os"),
    variant: fields.string("variant"),
    "os.version": fields.string("os.version"),
    "os.features": fields.strings("os.features"),
    created: fields.string("created"),
    author: fields.string("author"),
    comment: fields.string("comment"),
    docker_version: fields.string("docker_version"),
    config: config ? runConfigFrom(config) : {},
    rootfs: { type: "layers", diff_ids: diffIds },
    history: (fields.objects("history") ?? []).map(historyFrom),
  });
}

function runConfigFrom(fields: JsonFields): ImageConfig {
  const healthcheck = fields.object("Healthcheck");
  return definedOnly<ImageConfig>({
    User: fields.string("User"),
    ExposedPorts: fields.set("ExposedPorts"),
    Env: fields.strings("Env"),
    Entrypoint: fields.strings("Entrypoint"),
    Cmd: fields.strings("Cmd"),
    Volumes: fields.set("Volumes"),
    WorkingDir: fields.string("WorkingDir"),
    Labels: fields.stringMap("Labels"),
    StopSignal: fields.string("StopSignal"),
    ArgsEscaped: fields.boolean("ArgsEscaped"),
    Healthcheck: healthcheck && healthcheckFrom(healthcheck),
    OnBuild: fields.strings("OnBuild"),
    Shell: fields.strings("Shell"),
  });
}

function healthcheckFrom(fields: JsonFields): Healthcheck {
  return definedOnly<Healthcheck>({
    Test: fields.strings("Test"),
    Interval: fields.wholeNumber("Interval"),
    Timeout: fields.wholeNumber("Timeout"),
    StartPeriod: fields.wholeNumber("StartPeriod"),
    StartInterval: fields.wholeNumber("StartInterval"),
    Retries: fields.wholeNumber("Retries"),
  });
}

function historyFrom(fields: JsonFields): HistoryEntry {
  return definedOnly<HistoryEntry>({
    created: fields.string("created"),
    author: fields.string("author"),
    created_by: fields.string("created_by"),
    comment: fields.string("comment"),
    empty_layer: fields.boolean("empty_layer"),
  });
}
