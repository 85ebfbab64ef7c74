import { open } from "node:fs/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";
import type { ContentStore, Ingest } from "../content/contract.ts";
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
    if (!isStaleResume(error)) throw error;
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
  await using file = await open(ingest.path);
  const path = `/proc/self/fd/${file.fd}`;
  const [unpacked] = await together(signal, (stop) => [
    unpack({ kind: "file", path, grown: ingest.grown }, stop),
    download(ingest, remote, layer, progress, stop).then(() => place[Symbol.dispose]()),
  ]);
  return unpacked;
}

async function download(
  ingest: Ingest,
  remote: RemoteRepository,
  { descriptor }: WantedLayer,
  progress: LayerLine,
  signal: AbortSignal,
): Promise<void> {
  const resumedAt = ingest.offset;
  try {
    for await (const chunk of remote.blob(descriptor, resumedAt, signal)) {
      await ingest.write(chunk);
      progress.downloading(ingest.offset);
    }
    progress.verifying();
    await ingest.commit();
    progress.downloaded();
  } catch (error) {
    const reason = inLayerWords(error, descriptor, resumedAt);
    await ingest.close({ keep: isResumable(error), reason });
    throw reason;
  }
}

/** Runs two things that make no sense alone: the first error stops the other, both have ended afterwards. */
async function together<A, B>(
  signal: AbortSignal,
  start: (stop: AbortSignal) => [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const both = start(stop).map((work) =>
    work.catch((error) => {
      failure.abort(error);
      throw error;
    }),
  ) as [Promise<A>, Promise<B>];
  await Promise.allSettled(both);
  if (failure.signal.aborted) throw failure.signal.reason;
  return Promise.all(both);
}

/** What arrived so far is good, only the rest is missing. */
export function isResumable(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return error instanceof Error && error.name === "AbortError";
  return error.kind === "Cancelled" || (error.kind === "Unavailable" && error.code !== "registry.wrong-size");
}

const staleResume = "transfer.stale-resume";

/** Docker's text for a layer whose bytes are others; and a partial file from before may be to blame. */
function inLayerWords(error: unknown, { digest }: Descriptor, resumedAt: number): unknown {
  if (!(error instanceof PlatformError) || error.code !== "content.digest-mismatch") return error;
  return new PlatformError("Unavailable", `filesystem layer verification failed for digest ${digest}`, {
    code: resumedAt > 0 ? staleResume : error.code,
    cause: error,
  });
}

function isStaleResume(error: unknown): boolean {
  return error instanceof PlatformError && error.code === staleResume;
}
