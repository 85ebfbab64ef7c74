import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Pauser } from "../../../engine/containers/pauser.ts";
import type { Route } from "../route.ts";

export const containerPauseRoute = (store: ContainerStore, pauser: Pauser): Route => ({
  method: "POST",
  path: "/containers/{id}/pause",
  handle: async ({ params }, reply) => {
    await pauser.pause(store.get(params.id ?? ""));
    reply.empty(204);
  },
});
