import { chainIds } from "../../formats/chain-id.ts";
import { digestHex, digestOf } from "../../formats/digest.ts";
import type { Descriptor, Digest } from "../content/contract.ts";
import type { ImageNaming } from "../images/contract.ts";
import { imagesOfName, withoutImages } from "../images/name-record.ts";
import type { WantedLayer } from "../transfer/fetch-layer.ts";
import { blobsByDiffId, configOf, type ImageUse, imagesOf, manifestOf } from "./image-use.ts";
import type { DocumentRole, Problem } from "./problem.ts";
import { isUsable, type Survey } from "./survey.ts";

/** One step of a repair. */
export type Repair =
  /** Out of the way, and kept. */
  | { readonly op: "aside"; readonly path: string; readonly digest?: Digest }
  | {
      readonly op: "fetch";
      readonly descriptor: Descriptor;
      readonly role: DocumentRole;
      /** Names under which a registry may have it. */
      readonly references: readonly string[];
    }
  /** An empty file, which is the entry of a list. */
  | { readonly op: "enter"; readonly path: string }
  | { readonly op: "unpack"; readonly image: string; readonly layers: readonly WantedLayer[] }
  | {
      readonly op: "register";
      readonly image: string;
      readonly manifest: Descriptor;
      readonly names: readonly ImageNaming[];
    };

/**
 * What can be done now about problems; pure. What depends on the result of a step is planned after the next look: a blob
 * is moved aside, then it is missing, then it is fetched, then it is unpacked, then its image is registered.
 *
 * While an engine runs, only what its stores can do is planned; files behind its back are left alone.
 */
export function planRepairs(survey: Survey, problems: readonly Problem[]): Repair[] {
  const images = imagesOf(survey);
  return [
    ...problems.flatMap((problem) => planFiles(survey, problem)),
    ...problems.flatMap((problem) => planFetch(images, problem)),
    ...planUnpacks(survey, images, problems),
    ...problems.flatMap((problem) => planRegistration(images, problems, problem)),
  ];
}

/** Repairs without stores. */
function planFiles(survey: Survey, problem: Problem): Repair[] {
  const isStopped = survey.memory === undefined;
  switch (problem.kind) {
    case "blob-corrupt":
    case "blob-unreadable":
      return [{ op: "aside", path: problem.path, digest: problem.digest }];
    case "layer-differs":
    case "layer-parent-missing":
      return isStopped ? [{ op: "aside", path: problem.path }] : [];
    case "link-dangling":
    case "tag-dangling":
      return isStopped ? [{ op: "aside", path: problem.path }] : [];
    case "referrer-unlisted":
      return [{ op: "enter", path: problem.path }];
    case "sidecar-broken":
      if (!isStopped) return [];
      return problem.object === "container"
        ? asideContainer(survey, problem.path)
        : [{ op: "aside", path: problem.path }];
    default:
      return [];
  }
}

/** With its writable layer, which the next engine would delete else; not while its processes may use it. */
function asideContainer(survey: Survey, path: string): Repair[] {
  const top = survey.tops.get(path.slice(path.lastIndexOf("/") + 1));
  if (top?.isMounted) return [];
  return [{ op: "aside", path }, ...(top === undefined ? [] : [{ op: "aside", path: top.path } as const])];
}

function planFetch(images: readonly ImageUse[], problem: Problem): Repair[] {
  if (problem.kind !== "blob-missing") return [];
  const references = referencesOf(images, problem.images);
  if (references.length === 0) return [];
  return [{ op: "fetch", descriptor: problem.descriptor, role: problem.role, references }];
}

/** Names with a digest first: a tag may have moved on. */
function referencesOf(images: readonly ImageUse[], shown: readonly string[]): string[] {
  const names = images
    .filter((image) => shown.includes(image.shown))
    .flatMap((image) => image.names.map(({ reference }) => reference));
  return [...names.filter((name) => name.includes("@")), ...names.filter((name) => !name.includes("@"))];
}

function planUnpacks(survey: Survey, images: readonly ImageUse[], problems: readonly Problem[]): Repair[] {
  const lacking = new Set(
    problems.flatMap((problem) => (problem.kind === "layer-missing" ? problem.images : [])),
  );
  const blobs = blobsByDiffId(survey, images);
  return images
    .filter(({ shown }) => lacking.has(shown))
    .flatMap((image) => {
      const layers = layersToUnpack(survey, image, blobs);
      // An engine that remembers a layer would not unpack it: such a layer waits until the engine is stopped.
      const isRemembered = layers?.some(({ chainId }) => survey.memory?.layers.has(chainId));
      return layers === undefined || isRemembered ? [] : [{ op: "unpack", image: image.shown, layers }];
    });
}

/** Base first; undefined while a blob is lacking. */
function layersToUnpack(
  survey: Survey,
  image: ImageUse,
  blobs: ReadonlyMap<Digest, readonly Descriptor[]>,
): WantedLayer[] | undefined {
  const diffIds = configOf(survey, image.id)?.rootfs.diff_ids;
  if (diffIds === undefined) return undefined;
  const chain = chainIds(diffIds);
  const layers: WantedLayer[] = [];
  for (const [index, diffId] of diffIds.entries()) {
    const chainId = chain[index];
    if (chainId === undefined || survey.layers.has(chainId)) continue;
    const descriptor = blobs.get(diffId)?.find(({ digest }) => isUsable(survey, digest));
    if (descriptor === undefined) return undefined;
    layers.push({ descriptor, diffId, chainId, parent: chain[index - 1] });
  }
  return layers;
}

function planRegistration(
  images: readonly ImageUse[],
  problems: readonly Problem[],
  problem: Problem,
): Repair[] {
  if (problem.kind !== "image-unrecorded" && problem.kind !== "image-unknown") return [];
  const image = images.find(({ id }) => id === problem.id);
  const [manifest] = image?.manifests ?? [];
  if (image === undefined || manifest === undefined || isUnusable(image, problems)) return [];
  return [{ op: "register", image: image.shown, manifest, names: image.names }];
}

/** Whether containers cannot run from it. */
function isUnusable({ shown }: ImageUse, problems: readonly Problem[]): boolean {
  return problems.some((problem) => {
    if (problem.kind === "blob-missing") {
      return (problem.role === "manifest" || problem.role === "config") && problem.images.includes(shown);
    }
    const isFatal = problem.kind === "document-broken" || problem.kind === "layer-missing";
    return isFatal && problem.images.includes(shown);
  });
}

/** What could not be saved: what it is called, and the files that go aside. */
export interface Loss {
  readonly name: string;
  readonly paths: readonly string[];
}

/** For what is left after all repairs, with the engine stopped; pure. Blobs and layers of a lost image stay. */
export function planLosses(survey: Survey, problems: readonly Problem[]): Loss[] {
  const images = imagesOf(survey).filter((image) => isUnusable(image, problems));
  const lost = new Set(images.map(({ id }) => id));
  const containers = problems.flatMap((problem) =>
    problem.kind === "top-missing"
      ? [{ name: `container ${problem.container}`, paths: [`${survey.root}/containers/${problem.id}`] }]
      : [],
  );
  return [
    ...images.map((image) => ({ name: `image ${image.shown}`, paths: sidecarsOf(survey, image, lost) })),
    ...containers,
  ];
}

/** A name that means another platform, too, stays for that. */
function sidecarsOf(
  { root, references }: Survey,
  { id, isRecorded }: ImageUse,
  lost: ReadonlySet<Digest>,
): string[] {
  const names = references.filter(
    (name) => imagesOfName(name).some(({ image }) => image === id) && withoutImages(name, lost) === undefined,
  );
  return [
    ...(isRecorded ? [`${root}/images/ids/${digestHex(id)}.json`] : []),
    ...names.map(({ reference }) => `${root}/images/references/${digestHex(digestOf(reference))}.json`),
  ];
}

/** Domains of the registries that could help. */
export function registriesFor(survey: Survey, problems: readonly Problem[]): string[] {
  const images = imagesOf(survey);
  const names = images
    .filter((image) => problems.some((problem) => concerns(survey, problem, image)))
    .flatMap((image) => image.names.map(({ reference }) => reference));
  return [...new Set(names.map((name) => name.slice(0, name.indexOf("/"))))].sort();
}

function concerns(survey: Survey, problem: Problem, image: ImageUse): boolean {
  if (problem.kind === "blob-missing" || problem.kind === "layer-missing")
    return problem.images.includes(image.shown);
  if (problem.kind !== "blob-corrupt" && problem.kind !== "blob-unreadable") return false;
  const needed = [...image.manifests, ...image.indexes].flatMap(({ digest }) => {
    const manifest = manifestOf(survey, digest);
    const inner = manifest ? [manifest.config, ...manifest.layers].map((one) => one.digest) : [];
    return [digest, ...inner];
  });
  return needed.includes(problem.digest);
}
