import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import type { ContainerSizer } from "../../../engine/containers/container-sizer.ts";
import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { inspectContainer } from "../../../engine/containers/inspect-container.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const containerInspectRoute = (
  store: ContainerStore,
  snapshots: Snapshotter,
  sizer: ContainerSizer,
): Route => ({
  method: "GET",
  path: "/containers/{id}/json",
  handle: async ({ params, query }, reply) => {
    const container = store.get(params.id ?? "");
    const sizes = booleanQuery(query, "size") ? await sizer.sizes(container) : undefined;
    reply.json(
      200,
      inspectContainer(container, { directory: store.directory(container.id), snapshots, sizes }),
    );
  },
});
