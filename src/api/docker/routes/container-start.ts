import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Starter } from "../../../engine/containers/starter.ts";
import { invalidParameter, notImplemented } from "../../../errors/platform-error.ts";
import type { Route } from "../route.ts";

/** Clients of API 1.23 sent a host config here; longer bodies than an empty object are refused as Docker refuses them. */
const longestEmptyBody = 7;

export const containerStartRoute = (store: ContainerStore, starter: Starter): Route => ({
  method: "POST",
  path: "/containers/{id}/start",
  handle: async ({ params, query, headers }, reply) => {
    if (Number(headers["content-length"] ?? 0) > longestEmptyBody) {
      throw invalidParameter(
        "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
      );
    }
    if (query.get("checkpoint")) throw notImplemented("starting from a checkpoint is not built into gantry");
    const { changed } = await starter.start(store.get(params.id ?? ""));
    reply.empty(changed ? 204 : 304);
  },
});
