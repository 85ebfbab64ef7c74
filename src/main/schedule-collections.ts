import type { Collector } from "../registry/server/gc/collector.ts";
import type { RegistryOptions } from "./registry-options.ts";

const dayMs = 24 * 3600_000;

/**
 * Collects by itself, as the options say; without an interval it only throws away, once a day, uploads that nobody goes on
 * with. Errors within a collection are logged by it. Out: what ends it.
 * Spec: distribution-spec, "Cancel a blob upload" (unfinished uploads should time out).
 */
export function scheduleCollections(
  collector: Pick<Collector, "collect" | "collectUploads">,
  { collection, collectionIntervalMs }: Pick<RegistryOptions, "collection" | "collectionIntervalMs">,
): Disposable {
  const collect =
    collectionIntervalMs === undefined
      ? () => collector.collectUploads(collection)
      : () => collector.collect(collection);
  const timer = setInterval(() => void collect(), collectionIntervalMs ?? dayMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
