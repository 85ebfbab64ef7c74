import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Stopper } from "../../../engine/containers/stopper.ts";
import type { Route } from "../route.ts";
import { stopOptions } from "./stop-options.ts";

export const containerStopRoute = (store: ContainerStore, stopper: Stopper): Route => ({
  method: "POST",
  path: "/containers/{id}/stop",
  handle: async ({ params, query, minor }, reply) => {
    const { changed } = await stopper.stop(store.get(params.id ?? ""), stopOptions(query, minor));
    reply.empty(changed ? 204 : 304);
  },
});
