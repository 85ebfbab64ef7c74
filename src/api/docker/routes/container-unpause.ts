import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Pauser } from "../../../engine/containers/pauser.ts";
import type { Route } from "../route.ts";

export const containerUnpauseRoute = (store: ContainerStore, pauser: Pauser): Route => ({
  method: "POST",
  path: "/containers/{id}/unpause",
  handle: async ({ params }, reply) => {
    await pauser.unpause(store.get(params.id ?? ""));
    reply.empty(204);
  },
});
