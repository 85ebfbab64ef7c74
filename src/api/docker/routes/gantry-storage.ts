import { familiar } from "../../../engine/images/familiar-names.ts";
import type { DiskUsage } from "../../../engine/storage/disk-usage.ts";
import type { Keepers } from "../../../engine/storage/keepers.ts";
import type { PruneRequest, Pruner } from "../../../engine/storage/pruner.ts";
import { filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `GET /gantry/v1/storage`: how much the stores hold, and how much of it nobody needs. */
export const storageRoute = (usage: DiskUsage): Route => ({
  method: "GET",
  path: "/gantry/v1/storage",
  handle: async (_, reply) => reply.json(200, await usage.stores()),
});

/** `GET /gantry/v1/storage/keepers?of=NAME`: who keeps a container's, an image's or a digest's bytes on disk. */
export const keepersRoute = (keepers: Keepers): Route => ({
  method: "GET",
  path: "/gantry/v1/storage/keepers",
  handle: async ({ query }, reply) => reply.json(200, await keepers.of(query.get("of") ?? "")),
});

/** `GET /gantry/v1/prune?containers=FILTERS&images=FILTERS`: what pruning them would remove; without one, none of it. */
export const prunePlanRoute = (pruner: Pruner): Route => ({
  method: "GET",
  path: "/gantry/v1/prune",
  handle: async ({ query }, reply) => {
    const filtersOf = (kind: keyof PruneRequest) => {
      const text = query.get(kind);
      return text === null ? {} : { [kind]: filtersQuery(new URLSearchParams({ filters: text })) };
    };
    const { containers, images, objects } = await pruner.plan({
      ...filtersOf("containers"),
      ...filtersOf("images"),
    });
    reply.json(200, {
      containers: containers.map(({ id, name, status }) => ({ id, name, status })),
      images: images.map(({ id, tags }) => ({ id, names: tags.map(familiar) })),
      objects,
    });
  },
});
