import { listNetworks, networkJson } from "../../../engine/networks/network-json.ts";
import type { Networks } from "../../../network/contract.ts";
import { filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const networkListRoute = (networks: Networks): Route => ({
  method: "GET",
  path: "/networks",
  handle: ({ query }, reply) => {
    const found = listNetworks(networks.list(), filtersQuery(query));
    reply.json(
      200,
      found.map((network) => networkJson(network, undefined)),
    );
  },
});
