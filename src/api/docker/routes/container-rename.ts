import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Renamer } from "../../../engine/containers/renamer.ts";
import type { Route } from "../route.ts";

export const containerRenameRoute = (store: ContainerStore, renamer: Renamer): Route => ({
  method: "POST",
  path: "/containers/{id}/rename",
  handle: async ({ params, query }, reply) => {
    await renamer.rename(store.get(params.id ?? ""), query.get("name") ?? "");
    reply.empty(204);
  },
});
