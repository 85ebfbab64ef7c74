import type { NetworkInfo } from "../../network/contract.ts";
import type { Container } from "../containers/container.ts";
import {
  allMatch,
  anyMatches,
  booleanFilter,
  checkFilterKeys,
  type Filters,
  matchesPattern,
} from "../filters.ts";

const keys = ["dangling", "driver", "id", "label", "name", "scope", "type"];

/** The networks that `network ls` shows. Errors: InvalidParameter for an unknown filter. */
export function listNetworks(networks: readonly NetworkInfo[], filters: Filters): NetworkInfo[] {
  checkFilterKeys(filters, keys);
  const dangling = booleanFilter(filters, "dangling");
  return networks.filter(
    (network) =>
      anyMatches(filters, "name", (name) => matchesPattern(network.name, name)) &&
      anyMatches(filters, "id", (id) => network.id.startsWith(id)) &&
      anyMatches(filters, "driver", (driver) => network.driver === driver) &&
      anyMatches(filters, "scope", (scope) => scope === "local") &&
      anyMatches(filters, "type", (type) => type === "builtin") &&
      allMatch(filters, "label", () => false) &&
      dangling !== true,
  );
}

/** engine-api.yaml, Network. `containers`: those that are on it now; undefined in lists. */
export function networkJson(network: NetworkInfo, containers: readonly Container[] | undefined): object {
  const addresses =
    network.subnet === undefined ? null : [{ Subnet: network.subnet, Gateway: network.gateway ?? "" }];
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: addresses },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries((containers ?? []).map(member)),
    Options: bridgeOptions(network),
    Labels: {},
  };
}

function member(container: Container): [string, object] {
  const { endpoint } = container.record;
  return [
    container.id,
    {
      Name: container.name,
      EndpointID: endpoint?.endpointId ?? "",
      MacAddress: endpoint?.macAddress ?? "",
      IPv4Address: endpoint?.ipAddress ? `${endpoint.ipAddress}/${endpoint.prefixLength}` : "",
      IPv6Address: "",
    },
  ];
}

const bridgeOptions = (network: NetworkInfo): Record<string, string> =>
  network.bridgeName === undefined ? {} : { "com.docker.network.bridge.name": network.bridgeName };
