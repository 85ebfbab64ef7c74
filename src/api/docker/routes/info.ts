import type { Route } from "../route.ts";

export const infoRoute = (systemInfo: () => object): Route => ({
  method: "GET",
  path: "/info",
  handle: (_, reply) => reply.json(200, systemInfo()),
});
