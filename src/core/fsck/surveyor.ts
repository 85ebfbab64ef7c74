import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../../errors/platform-error.ts";
import { chainId as chainIdOf } from "../../formats/chain-id.ts";
import { type Digest, type DigestAlgorithm, digestAlgorithm, isDigest } from "../../formats/digest.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { parseImageConfig, parseManifestDocument } from "../../formats/parse-oci-image.ts";
import type { Descriptor } from "../content/contract.ts";
import { isMissingFile } from "../content/file-error.ts";
import { ImageSidecars } from "../images/image-sidecars.ts";
import { imagesOfName } from "../images/name-record.ts";
import { readLeases } from "../leases/lease-sidecars.ts";
import { parseLayerSidecar } from "../snapshots/layer-sidecar.ts";
import { mountPoints } from "../snapshots/mount-points.ts";
import type { DeepCheck } from "./deep-check.ts";
import type {
  BrokenSidecar,
  EngineMemory,
  Survey,
  SurveyedBlob,
  SurveyedContainer,
  SurveyedDocument,
  SurveyedLayer,
  SurveyedRepository,
  SurveyedTop,
} from "./survey.ts";
import { readOne, surveyRepositories } from "./survey-repositories.ts";

/** Hashes files off the event loop; unpack's WorkerPool does it. */
export interface FileHasher {
  hash(path: string, algorithm: DigestAlgorithm, signal: AbortSignal): Promise<Digest>;
}

export interface SurveyorOptions {
  readonly root: string;
  readonly hasher: FileHasher;
  /** Tells boots of the machine apart; see LayerSidecar.unsyncedBoot. */
  readonly bootId: string;
  readonly memory?: () => EngineMemory;
  /** Compares unpacked layers with their blobs. */
  readonly deep?: DeepCheck;
  readonly signal: AbortSignal;
}

const algorithms = ["sha256", "sha512"] as const;

/**
 * Reads everything below a root directory; changes nothing. A second look hashes only what is new or was wrong.
 * Errors: the signal's reason.
 */
export class Surveyor {
  /** File identities whose digest was right. */
  private readonly verified = new Map<string, Digest>();
  private broken: BrokenSidecar[] = [];

  constructor(private readonly options: SurveyorOptions) {}

  async look(): Promise<Survey> {
    this.broken = [];
    const { root, memory, deep } = this.options;
    const { blobs, strangers } = await this.blobs(join(root, "content", "blobs"));
    const { images, references } = this.sidecars(join(root, "images"));
    const documents = readDocuments(blobs, [
      ...images.map(({ manifest }) => manifest),
      ...references.flatMap((name) => [...imagesOfName(name).map(({ manifest }) => manifest), name.target]),
    ]);
    this.checkLabels(join(root, "content", "labels"));
    const survey: Survey = {
      root,
      blobs,
      documents,
      images,
      references,
      layers: this.layers(join(root, "snapshots", "layers")),
      containers: this.containers(join(root, "containers")),
      tops: readTops(join(root, "snapshots", "containers")),
      leasedTops: this.leasedTops(join(root, "leases")),
      repositories: this.repositories(root),
      broken: this.broken,
      strangers,
      memory: memory?.(),
    };
    return deep === undefined ? survey : { ...survey, layers: await deep.compare(survey) };
  }

  private async blobs(directory: string) {
    const blobs = new Map<Digest, SurveyedBlob>();
    const strangers: string[] = [];
    const work = algorithms.flatMap((algorithm) =>
      namesIn(join(directory, algorithm)).map(async (name) => {
        const path = join(directory, algorithm, name);
        const digest = `${algorithm}:${name}`;
        if (!isDigest(digest)) strangers.push(path);
        else {
          const blob = await this.blob(digest, path);
          if (blob) blobs.set(digest, blob);
        }
      }),
    );
    await Promise.all(work);
    return { blobs, strangers: strangers.sort() };
  }

  /** Undefined for one that went away meanwhile. */
  private async blob(digest: Digest, path: string): Promise<SurveyedBlob | undefined> {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await lstat(path);
      const identity = `${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      const known = this.verified.get(identity);
      const { hasher, signal } = this.options;
      const actual = known ?? (await hasher.hash(path, digestAlgorithm(digest), signal));
      if (actual === digest) this.verified.set(identity, actual);
      return { path, sizeBytes: size, actual };
    } catch (error) {
      this.options.signal.throwIfAborted();
      if (isMissingFile(error) || !existsSync(path)) return undefined;
      return { path, sizeBytes: 0, actual: undefined, error: messageOf(error) };
    }
  }

  private sidecars(directory: string) {
    const store = new ImageSidecars(directory);
    return store.load((path, error) => {
      const object = path.startsWith(join(directory, "ids/")) ? "image" : "name";
      this.broken.push({ object, path, error: messageOf(error) });
    });
  }

  private leasedTops(directory: string): Set<string> {
    const leases = readLeases(directory, (path, error) => {
      this.broken.push({ object: "lease", path, error: messageOf(error) });
    });
    const held = leases.flatMap(({ resources }) => resources);
    return new Set(held.flatMap(({ kind, name }) => (kind === "snapshot" ? [name] : [])));
  }

  /** An engine's registry has a directory of its own; `gantry registry serve` has nothing else. */
  private repositories(root: string): SurveyedRepository[] {
    const onBroken = (broken: BrokenSidecar) => this.broken.push(broken);
    return [join(root, "registry"), root].flatMap((directory) => surveyRepositories(directory, onBroken));
  }

  private checkLabels(directory: string): void {
    for (const name of namesIn(directory)) {
      const path = join(directory, name);
      readOne(
        "blob labels",
        path,
        (broken) => this.broken.push(broken),
        (text) => JsonFields.parse(path, text).stringMap("labels"),
      );
    }
  }

  private layers(directory: string): Map<Digest, SurveyedLayer> {
    const layers = new Map<Digest, SurveyedLayer>();
    for (const name of namesIn(directory)) {
      const path = join(directory, name);
      const layer = this.layer(path, name);
      if (typeof layer !== "string") layers.set(layer.sidecar.chainId, layer);
      else if (existsSync(path)) this.broken.push({ object: "layer", path, error: layer });
    }
    return layers;
  }

  /** The layer, or what is wrong with it. */
  private layer(path: string, name: string): SurveyedLayer | string {
    const sidecar = parseLayerSidecar(textOf(join(path, "layer.json")));
    if (sidecar === undefined) return "layer.json is missing or broken";
    const { chainId, diffId, parent, unsyncedBoot } = sidecar;
    if (chainId !== `sha256:${name}`) return `layer.json is that of ${chainId}`;
    if (chainIdOf(parent, diffId) !== chainId) return "its diff id and its parent do not make its chain id";
    if (!existsSync(join(path, "diff")) && !existsSync(join(path, "layer.erofs")))
      return "its files are gone";
    if (unsyncedBoot !== undefined && unsyncedBoot !== this.options.bootId) {
      return "the machine went down before its files were on disk";
    }
    return { path, sidecar, differences: [] };
  }

  private containers(directory: string): SurveyedContainer[] {
    // Other names are those of removals and creates that are under way: the engine finishes them.
    const ids = namesIn(directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return ids.flatMap((id) => {
      const path = join(directory, id);
      const sidecar = join(path, "container.json");
      if (!existsSync(sidecar)) return [];
      try {
        return [containerOf(id, path, JsonFields.parse(sidecar, readFileSync(sidecar)))];
      } catch (error) {
        if (existsSync(sidecar)) this.broken.push({ object: "container", path, error: messageOf(error) });
        return [];
      }
    });
  }
}

function containerOf(id: string, path: string, fields: JsonFields): SurveyedContainer {
  if (fields.wholeNumber("version") !== 1) throw fields.problem("version", "is not 1");
  if (fields.requiredString("id") !== id) throw fields.problem("id", "is that of another container");
  return { id, path, name: fields.requiredString("name") };
}

/** Follows what images name: index, manifest, config. */
function readDocuments(
  blobs: ReadonlyMap<Digest, SurveyedBlob>,
  roots: readonly Descriptor[],
): Map<Digest, SurveyedDocument> {
  const documents = new Map<Digest, SurveyedDocument>();
  const read = (digest: Digest, parse: (bytes: Uint8Array, name: string) => SurveyedDocument): void => {
    const blob = blobs.get(digest);
    if (blob?.actual !== digest || documents.has(digest)) return;
    try {
      documents.set(digest, parse(readFileSync(blob.path), digest));
    } catch (error) {
      if (!isMissingFile(error)) documents.set(digest, { kind: "broken", error: messageOf(error) });
    }
  };
  for (const { digest, mediaType } of roots) {
    read(digest, (bytes, name) => {
      const document = parseManifestDocument(bytes, mediaType, name);
      return document.kind === "manifest"
        ? { kind: "manifest", manifest: document }
        : { kind: "index", manifests: document.manifests };
    });
    const document = documents.get(digest);
    if (document?.kind === "manifest") {
      read(document.manifest.config.digest, (bytes, name) => ({
        kind: "config",
        config: parseImageConfig(bytes, name),
      }));
    }
  }
  return documents;
}

function readTops(directory: string): Map<string, SurveyedTop> {
  const mounted = new Set(mountPoints());
  return new Map(
    namesIn(directory).map((key) => {
      const path = join(directory, key);
      const parent = `sha256:${basename(linkOf(join(path, "parent")))}`;
      const isMounted = mounted.has(join(path, "merged"));
      return [key, { path, parent: isDigest(parent) ? parent : undefined, isMounted }];
    }),
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // a container without an image
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
