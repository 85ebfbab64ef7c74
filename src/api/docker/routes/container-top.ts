import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { ProcessLister } from "../../../engine/containers/process-lister.ts";
import type { Route } from "../route.ts";

export const containerTopRoute = (store: ContainerStore, lister: ProcessLister): Route => ({
  method: "GET",
  path: "/containers/{id}/top",
  handle: async ({ params, query, signal }, reply) => {
    const psArguments = query.get("ps_args") || "-ef";
    const { titles, processes } = await lister.list(store.get(params.id ?? ""), psArguments, signal);
    reply.json(200, { Titles: titles, Processes: processes });
  },
});
