import { checkFilterKeys } from "../../../engine/filters.ts";
import type { Pruner } from "../../../engine/storage/pruner.ts";
import { filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** Docker's lists have no elements as null, but those of volumes as []. */
const nullIfEmpty = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null);

export const containerPruneRoute = (pruner: Pruner): Route => ({
  method: "POST",
  path: "/containers/prune",
  handle: async ({ query }, reply) => {
    const { deleted, reclaimedBytes } = await pruner.pruneContainers(filtersQuery(query));
    reply.json(200, { ContainersDeleted: nullIfEmpty(deleted), SpaceReclaimed: reclaimedBytes });
  },
});

export const imagePruneRoute = (pruner: Pruner): Route => ({
  method: "POST",
  path: "/images/prune",
  handle: async ({ query }, reply) => {
    const { deleted, reclaimedBytes } = await pruner.pruneImages(filtersQuery(query));
    const ImagesDeleted = nullIfEmpty(deleted.map(({ kind, value }) => ({ [kind]: value })));
    reply.json(200, { ImagesDeleted, SpaceReclaimed: reclaimedBytes });
  },
});

/** The default networks are never pruned, and there are no others. */
export const networkPruneRoute: Route = {
  method: "POST",
  path: "/networks/prune",
  handle: ({ query }, reply) => {
    checkFilterKeys(filtersQuery(query), ["until", "label", "label!"]);
    reply.json(200, { NetworksDeleted: null });
  },
};

/** There are no volumes. */
export const volumePruneRoute: Route = {
  method: "POST",
  path: "/volumes/prune",
  handle: ({ query }, reply) => {
    checkFilterKeys(filtersQuery(query), ["label", "label!", "all"]);
    reply.json(200, { VolumesDeleted: [], SpaceReclaimed: 0 });
  },
};

/** There is no build cache; clients prune it as a part of `system prune`. */
export const buildPruneRoute: Route = {
  method: "POST",
  path: "/build/prune",
  handle: (_, reply) => reply.json(200, { CachesDeleted: null, SpaceReclaimed: 0 }),
};
