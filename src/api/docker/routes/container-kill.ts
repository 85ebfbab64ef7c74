import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Killer } from "../../../engine/containers/killer.ts";
import { parseSignal } from "../../../engine/containers/signals.ts";
import type { Route } from "../route.ts";

export const containerKillRoute = (store: ContainerStore, killer: Killer): Route => ({
  method: "POST",
  path: "/containers/{id}/kill",
  handle: async ({ params, query }, reply) => {
    const container = store.get(params.id ?? "");
    await killer.kill(container, parseSignal(query.get("signal") || "KILL"));
    reply.empty(204);
  },
});
