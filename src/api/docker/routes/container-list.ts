import type { ContainerSizer } from "../../../engine/containers/container-sizer.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { containerSummary } from "../../../engine/containers/container-summary.ts";
import { listContainers } from "../../../engine/containers/list-containers.ts";
import { booleanQuery, filtersQuery, integerQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const containerListRoute = (
  store: ContainerStore,
  sizer: ContainerSizer,
  imageIds: (reference: string) => readonly string[],
): Route => ({
  method: "GET",
  path: "/containers/json",
  handle: async ({ query }, reply) => {
    const limit = integerQuery(query, "limit");
    const found = listContainers(
      store.list(),
      {
        all: booleanQuery(query, "all"),
        limit: limit !== undefined && limit > 0 ? limit : undefined,
        filters: filtersQuery(query),
      },
      { find: (reference) => store.find(reference), imageIds },
    );
    const now = Date.now();
    if (!booleanQuery(query, "size")) {
      reply.json(
        200,
        found.map((container) => containerSummary(container, now)),
      );
      return;
    }
    const sizes = await Promise.all(found.map((container) => sizer.sizes(container)));
    reply.json(
      200,
      found.map((container, index) => containerSummary(container, now, sizes[index])),
    );
  },
});
