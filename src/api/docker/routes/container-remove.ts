import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Remover } from "../../../engine/containers/remover.ts";
import { notImplemented } from "../../../errors/platform-error.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `v` (anonymous volumes) has nothing to do: no container has any yet. */
export const containerRemoveRoute = (store: ContainerStore, remover: Remover): Route => ({
  method: "DELETE",
  path: "/containers/{id}",
  handle: async ({ params, query }, reply) => {
    if (booleanQuery(query, "link")) throw notImplemented("removing links is not built into gantry");
    await remover.remove(store.get(params.id ?? ""), { force: booleanQuery(query, "force") });
    reply.empty(204);
  },
});
