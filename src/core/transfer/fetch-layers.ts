import type { RemoteRepository } from "./contract.ts";
import { fetchLayer, type LayerServices, type WantedLayer } from "./fetch-layer.ts";
import type { LayerLine } from "./layer-line.ts";
import type { Limit } from "./limit.ts";

export interface LayersFetch {
  /** Base first. */
  readonly layers: readonly WantedLayer[];
  /** Undefined when all blobs are in the content store already. */
  readonly remote: RemoteRepository | undefined;
  /** How many are downloaded at the same time, of this image and of others. */
  readonly downloads: Limit;
  readonly lineOf: (layer: WantedLayer) => LayerLine;
  readonly signal: AbortSignal;
}

/**
 * Brings all layers of an image that are not there yet: downloads some at a time, unpacks as they arrive,
 * commits base first. The first error stops the others; when this settles, nothing runs any more.
 */
export async function fetchLayers(services: LayerServices, fetch: LayersFetch): Promise<void> {
  const { layers, remote, downloads, signal } = fetch;
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const lines = layers.map(fetch.lineOf);
  const isThere = layers.map(({ chainId }) => services.snapshots.layer(chainId) !== undefined);
  for (const [index, line] of lines.entries()) {
    if (isThere[index]) line.alreadyExists();
    else line.begin();
  }
  let parentCommitted: Promise<unknown> = Promise.resolve();
  const work: Promise<void>[] = [];
  for (const [index, layer] of layers.entries()) {
    const progress = lines[index];
    if (isThere[index] || progress === undefined) continue;
    const one = fetchLayer(services, { layer, remote, parentCommitted, downloads, progress, signal: stop });
    one.catch((error) => failure.abort(error));
    work.push(one);
    parentCommitted = one;
  }
  await Promise.allSettled(work);
  // The first one is the cause; the others only report that they were stopped.
  if (failure.signal.aborted) throw failure.signal.reason;
}
