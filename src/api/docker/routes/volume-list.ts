import type { Route } from "../route.ts";

/** There are no volumes yet. */
export const volumeListRoute: Route = {
  method: "GET",
  path: "/volumes",
  handle: (_, reply) => reply.json(200, { Volumes: [], Warnings: [] }),
};
