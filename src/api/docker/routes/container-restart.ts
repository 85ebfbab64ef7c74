import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Restarter } from "../../../engine/containers/restarter.ts";
import type { Route } from "../route.ts";
import { stopOptions } from "./stop-options.ts";

export const containerRestartRoute = (store: ContainerStore, restarter: Restarter): Route => ({
  method: "POST",
  path: "/containers/{id}/restart",
  handle: async ({ params, query, minor }, reply) => {
    await restarter.restart(store.get(params.id ?? ""), stopOptions(query, minor));
    reply.empty(204);
  },
});
