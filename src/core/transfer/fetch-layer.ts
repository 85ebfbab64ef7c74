import { open } from "node:fs/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { ContentStore, Ingest } from "../content/contract.ts";
import { fileError } from "../content/file-error.ts";
import type { LayerDraft, Snapshotter } from "../snapshots/contract.ts";
import type { LayerSource, LayerUnpacker } from "../unpack/contract.ts";
import type { RemoteRepository } from "./contract.ts";
import type { LayerLine } from "./layer-line.ts";
import type { Limit } from "./limit.ts";

/** A layer of an image that is wanted. */
export interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
}

export interface LayerServices {
  readonly content: ContentStore;
  readonly snapshots: Pick<Snapshotter, "layer" | "draft">;
  readonly unpacker: LayerUnpacker;
}

export interface LayerFetch {
  readonly layer: WantedLayer;
  /** Undefined when all blobs are in the content store already. */
  readonly remote: RemoteRepository | undefined;
  /** Settles when the parent is committed; rejects when it never will be. */
  readonly parentCommitted: Promise<unknown>;
  readonly downloads: Limit;
  readonly progress: LayerLine;
  readonly signal: AbortSignal;
}

/**
 * Brings one layer into the content store and into a committed snapshot.
 *
 * The blob goes from the network to its ingest file, hashed on the way, and a Worker unpacks the growing file
 * at the same time. The draft is committed after the parent's. On an error the draft is gone, and the partial
 * blob too, unless a later attempt can go on with it.
 */
export async function fetchLayer(services: LayerServices, fetch: LayerFetch): Promise<void> {
  const { layer, progress, signal } = fetch;
  using place = await fetch.downloads.enter(signal, () => progress.waiting());
  const draft = await services.snapshots.draft(layer.chainId, layer.parent, signal);
  if (draft === undefined) return progress.alreadyExists();
  try {
    const unpacked = await fillDraft(services, fetch, draft, place);
    progress.extracting(layer.descriptor.size);
    await fetch.parentCommitted;
    await draft.commit(unpacked);
    progress.complete();
  } catch (error) {
    await draft.discard();
    const isOver = signal.aborted || !(isStaleResume(error) || fetch.remote?.reject(layer.descriptor));
    if (isOver) throw error;
    place[Symbol.dispose]();
    await fetchLayer(services, fetch);
  }
}

async function fillDraft(
  { content, unpacker }: LayerServices,
  { layer, remote, progress, signal }: LayerFetch,
  draft: LayerDraft,
  place: Disposable,
) {
  const { descriptor, diffId } = layer;
  const unpack = (source: LayerSource, stop: AbortSignal) =>
    unpacker.unpack({
      layer: descriptor.digest,
      source,
      directory: draft.directory,
      whiteouts: draft.whiteouts,
      diffId,
      signal: stop,
      onProgress: (bytes) => progress.extracting(bytes),
    });
  const ingest = remote && (await content.ingest(descriptor, signal));
  if (remote === undefined || ingest === undefined) {
    place[Symbol.dispose]();
    progress.downloaded();
    return await unpack({ kind: "file", path: content.path(descriptor.digest) }, signal);
  }
  // The Worker may come to open the file only when it has got its final name: a descriptor names it for good.
  await using file = await open(ingest.path).catch(async (error) => {
    await ingest.close({ keep: true, reason: error });
    throw fileError(error, `read the partial blob ${descriptor.digest}`);
  });
  const path = `/proc/self/fd/${file.fd}`;
  return await together(signal, (stop) => ({
    unpacking: unpack({ kind: "file", path, grown: ingest.grown }, stop),
    downloading: download(ingest, remote, layer, progress, stop).then(() => place[Symbol.dispose]()),
  }));
}

async function download(
  ingest: Ingest,
  remote: RemoteRepository,
  { descriptor }: WantedLayer,
  progress: LayerLine,
  signal: AbortSignal,
): Promise<void> {
  const resumedAt = ingest.offset;
  const onRetry = (seconds: number) => progress.retrying(seconds);
  using counting = count(ingest, progress);
  try {
    await remote.download(descriptor, ingest, signal, onRetry);
    counting.complete();
    progress.verifying();
    await ingest.commit();
    progress.downloaded();
  } catch (error) {
    const reason = inLayerWords(error, descriptor, resumedAt);
    await ingest.close({ keep: isResumable(error), reason });
    throw reason;
  }
}

/** Tells how the file grows, until that is no news any more: also of one that was whole before anybody looked. */
function count(ingest: Ingest, progress: LayerLine): Disposable & { complete(): void } {
  let isOver = false;
  let isTold = false;
  const follow = async () => {
    for await (const size of ingest.grown) {
      if (isOver) return;
      isTold = true;
      progress.downloading(size);
    }
  };
  follow().catch(() => {}); // the download says why it failed
  const end = () => {
    isOver = true;
  };
  return {
    [Symbol.dispose]: end,
    complete: () => {
      end();
      if (!isTold) progress.downloading(ingest.offset);
    },
  };
}

/**
 * Runs the two at the same time; the first error stops the other, and both have ended afterwards. The download's
 * error is thrown: it is the cause where the unpacking only missed the rest of the file, and where the unpacking
 * failed it is the reason with which the download was stopped.
 */
async function together<T>(
  signal: AbortSignal,
  start: (stop: AbortSignal) => { unpacking: Promise<T>; downloading: Promise<void> },
): Promise<T> {
  const failure = new AbortController();
  const { unpacking, downloading } = start(AbortSignal.any([signal, failure.signal]));
  for (const work of [unpacking, downloading]) work.catch((error) => failure.abort(error));
  const [unpacked, downloaded] = await Promise.allSettled([unpacking, downloading]);
  if (downloaded.status === "rejected") throw downloaded.reason;
  if (unpacked.status === "rejected") throw unpacked.reason;
  return unpacked.value;
}

/** Codes of registries that work, but send something else than they promised. */
const wrongContent = new Set(["registry.wrong-size", "registry.wrong-digest", "content.digest-mismatch"]);

/** What arrived so far is good, only the rest is missing: the pull was aborted, or the registry broke down. */
export function isResumable(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return error instanceof Error && error.name === "AbortError";
  if (wrongContent.has(error.code ?? "")) return false;
  return error.kind === "Cancelled" || error.kind === "Unavailable";
}

const staleResume = "transfer.stale-resume";

/** Docker's text for a layer whose bytes are others; and a partial file from before may be to blame. */
function inLayerWords(error: unknown, descriptor: Descriptor, resumedAt: number): unknown {
  if (!(error instanceof PlatformError)) return error;
  if (error.code !== "content.digest-mismatch") return error;
  const { digest } = descriptor;
  return new PlatformError("Unavailable", `filesystem layer verification failed for digest ${digest}`, {
    code: resumedAt > 0 ? staleResume : error.code,
    cause: error,
  });
}

function isStaleResume(error: unknown): boolean {
  return error instanceof PlatformError && error.code === staleResume;
}
