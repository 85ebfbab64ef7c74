import { chainIds } from "../../formats/chain-id.ts";
import { digestHex } from "../../formats/digest.ts";
import type { Descriptor, Digest } from "../content/contract.ts";
import { isForeign } from "../transfer/stored-layers.ts";
import {
  blobPath,
  blobsByDiffId,
  configOf,
  type ImageUse,
  imagesOf,
  layerPath,
  manifestOf,
} from "./image-use.ts";
import type { DocumentRole, Problem } from "./problem.ts";
import { repositoryProblems } from "./repository-problems.ts";
import { isUsable, type Survey } from "./survey.ts";

/**
 * Judges what a look at the disk found; pure. What a running operation of the engine holds is passed over.
 * Out: problems in the order in which they are best read: the cause before its consequences.
 */
export function findProblems(survey: Survey): Problem[] {
  const images = imagesOf(survey);
  return [
    ...blobProblems(survey),
    ...survey.broken.map((broken) => ({ kind: "sidecar-broken", ...broken }) as const),
    ...layerProblems(survey),
    ...imageProblems(survey, images),
    ...topProblems(survey),
    ...repositoryProblems(survey),
    ...survey.strangers.map((path) => ({ kind: "stranger", path }) as const),
  ];
}

function blobProblems(survey: Survey): Problem[] {
  return [...survey.blobs].flatMap(([digest, { path, actual, error }]): Problem[] => {
    if (actual === digest || survey.memory?.isHeld(digest)) return [];
    if (actual !== undefined) return [{ kind: "blob-corrupt", digest, path, actual }];
    return [{ kind: "blob-unreadable", digest, path, error: error ?? "unknown" }];
  });
}

function layerProblems(survey: Survey): Problem[] {
  return [...survey.layers.values()].flatMap(({ path, sidecar, differences }): Problem[] => {
    const { chainId } = sidecar;
    if (differences.length > 0) return [{ kind: "layer-differs", chainId, path, differences }];
    const parent = missingAncestor(survey, sidecar.parent);
    return parent === undefined ? [] : [{ kind: "layer-parent-missing", chainId, parent, path }];
  });
}

/** The first layer below that is not there, or whose files are wrong. */
function missingAncestor(survey: Survey, parent: Digest | undefined): Digest | undefined {
  for (let at = parent; at !== undefined; ) {
    const layer = survey.layers.get(at);
    if (layer === undefined || layer.differences.length > 0) return at;
    at = layer.sidecar.parent;
  }
  return undefined;
}

/** Collects what several images miss as one problem. */
class Missing {
  private readonly found = new Map<string, { problem: Problem; images: string[] }>();

  add(key: string, image: string, problem: (images: string[]) => Problem): void {
    const known = this.found.get(key);
    if (known === undefined) {
      const images = [image];
      this.found.set(key, { problem: problem(images), images });
    } else if (!known.images.includes(image)) known.images.push(image);
  }

  list(): Problem[] {
    return [...this.found.values()].map(({ problem }) => problem);
  }
}

function imageProblems(survey: Survey, images: readonly ImageUse[]): Problem[] {
  const missing = new Missing();
  const blobs = blobsByDiffId(survey, images);
  const others: Problem[] = [];
  for (const image of images) {
    if (survey.memory?.isHeld(image.id)) continue;
    for (const index of image.indexes) needDocument(survey, missing, image, index, "index");
    const isWhole = image.manifests.map((manifest) => needManifest(survey, missing, image, manifest, blobs));
    const path = `${survey.root}/images/ids/${digestHex(image.id)}.json`;
    if (!image.isRecorded) {
      others.push({ kind: "image-unrecorded", id: image.id, path, image: image.shown });
    } else if (isWhole.every(Boolean) && isUnknown(survey, image)) {
      others.push({ kind: "image-unknown", id: image.id, path, image: image.shown });
    }
  }
  return [...missing.list(), ...others];
}

function isUnknown({ memory }: Survey, { id, names }: ImageUse): boolean {
  if (memory === undefined) return false;
  return !memory.images.has(id) || names.some(({ reference }) => !memory.names.has(reference));
}

/** Whether a container can run from it. */
function needManifest(
  survey: Survey,
  missing: Missing,
  image: ImageUse,
  descriptor: Descriptor,
  blobs: ReadonlyMap<Digest, readonly Descriptor[]>,
): boolean {
  if (!needDocument(survey, missing, image, descriptor, "manifest")) return false;
  const manifest = manifestOf(survey, descriptor.digest);
  if (manifest === undefined) return false;
  const broken = (digest: Digest, error: string): false => {
    const path = blobPath(survey, digest);
    missing.add(path, image.shown, (names) => ({
      kind: "document-broken",
      digest,
      path,
      error,
      images: names,
    }));
    return false;
  };
  if (manifest.config.digest !== image.id)
    return broken(descriptor.digest, `it is a manifest of image ${manifest.config.digest}`);
  if (!needDocument(survey, missing, image, manifest.config, "config")) return false;
  const config = configOf(survey, image.id);
  if (config === undefined) return false;
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    return broken(image.id, `it lists ${diffIds.length} layers, the manifest ${manifest.layers.length}`);
  }
  for (const [index, layer] of manifest.layers.entries())
    needLayerBlob(survey, missing, image, layer, blobs.get(diffIds[index] ?? layer.digest) ?? []);
  return needLayers(survey, missing, image, diffIds);
}

function needLayers(survey: Survey, missing: Missing, image: ImageUse, diffIds: readonly Digest[]): boolean {
  let isWhole = true;
  for (const [index, chainId] of chainIds(diffIds).entries()) {
    const diffId = diffIds[index];
    if (diffId === undefined || survey.layers.has(chainId) || survey.memory?.isHeld(chainId)) continue;
    isWhole = false;
    const path = layerPath(survey, chainId);
    missing.add(path, image.shown, (images) => ({ kind: "layer-missing", chainId, diffId, path, images }));
  }
  return isWhole;
}

/** A layer that was unpacked before has no blob of its own, as long as the same layer is there in another one. */
function needLayerBlob(
  survey: Survey,
  missing: Missing,
  image: ImageUse,
  layer: Descriptor,
  same: readonly Descriptor[],
): void {
  const isElsewhere = same.some(({ digest }) => digest !== layer.digest && isUsable(survey, digest));
  if (isForeign(layer) || (isElsewhere && !survey.blobs.has(layer.digest))) return;
  needBlob(survey, missing, image, layer, "layer");
}

function needDocument(
  survey: Survey,
  missing: Missing,
  image: ImageUse,
  descriptor: Descriptor,
  role: DocumentRole,
): boolean {
  if (!needBlob(survey, missing, image, descriptor, role)) return false;
  const { digest } = descriptor;
  const document = survey.documents.get(digest);
  if (document?.kind !== "broken") return true;
  const [path, { error }] = [blobPath(survey, digest), document];
  missing.add(path, image.shown, (images) => ({ kind: "document-broken", digest, path, error, images }));
  return false;
}

/** Whether its bytes can be used. A blob with wrong bytes is a problem of its own already. */
function needBlob(
  survey: Survey,
  missing: Missing,
  image: ImageUse,
  descriptor: Descriptor,
  role: DocumentRole,
): boolean {
  const { digest, size } = descriptor;
  if (survey.memory?.isHeld(digest)) return true;
  const path = blobPath(survey, digest);
  const blob = survey.blobs.get(digest);
  if (blob === undefined) {
    missing.add(path, image.shown, (images) => ({ kind: "blob-missing", descriptor, role, path, images }));
    return false;
  }
  if (blob.actual === digest && blob.sizeBytes !== size) {
    const actualBytes = blob.sizeBytes;
    missing.add(`${path} size`, image.shown, (images) => ({
      kind: "blob-size",
      descriptor,
      actualBytes,
      path,
      images,
    }));
  }
  return blob.actual === digest;
}

function topProblems({ containers, tops, layers, root, broken, leasedTops }: Survey): Problem[] {
  const unreadable = new Set(broken.map(({ path }) => path));
  const found: Problem[] = [];
  for (const { id, name } of containers) {
    const path = `${root}/snapshots/containers/${id}`;
    const top = tops.get(id);
    if (top === undefined) found.push({ kind: "top-missing", id, container: name, path });
    else if (top.parent !== undefined && !layers.has(top.parent)) {
      found.push({ kind: "top-parent-missing", container: name, parent: top.parent, path });
    }
  }
  for (const [key, { path }] of tops) {
    const isOwned = containers.some(({ id }) => id === key) || unreadable.has(`${root}/containers/${key}`);
    if (!isOwned && !leasedTops.has(key)) found.push({ kind: "top-unowned", key, path });
  }
  return found;
}
