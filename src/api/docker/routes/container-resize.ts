import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Resizer } from "../../../engine/containers/resizer.ts";
import { sizeQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const containerResizeRoute = (store: ContainerStore, resizer: Resizer): Route => ({
  method: "POST",
  path: "/containers/{id}/resize",
  handle: async ({ params, query }, reply) => {
    const { rows, columns } = sizeQuery(query);
    await resizer.resize(store.get(params.id ?? ""), rows, columns);
    reply.empty(200);
  },
});
