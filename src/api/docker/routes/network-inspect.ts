import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import { networkJson } from "../../../engine/networks/network-json.ts";
import type { Networks } from "../../../network/contract.ts";
import type { Route } from "../route.ts";

export const networkInspectRoute = (networks: Networks, store: ContainerStore): Route => ({
  method: "GET",
  path: "/networks/{id}",
  handle: ({ params }, reply) => {
    const network = networks.resolve(params.id ?? "");
    const members = store
      .list()
      .filter(({ isLive, record }) => isLive && record.endpoint?.networkId === network.id);
    reply.json(200, networkJson(network, members));
  },
});
