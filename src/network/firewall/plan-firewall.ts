import type { ElementChange } from "../../kernel/nftables/nftables.ts";
import type { NftChain, NftElement, NftMap, NftRule, NftTable } from "../../kernel/nftables/ruleset.ts";
import type { PortBinding } from "../contract.ts";

export interface FirewallNetwork {
  /** Also the table's name: another engine has another bridge. */
  readonly bridgeName: string;
  /** `172.17.0.0/16` */
  readonly subnet: string;
}

/** Published ports of one container. */
export interface PublishedEndpoint {
  readonly ipAddress: string;
  readonly ports: readonly PortBinding[];
}

const ANY_ADDRESS = "0.0.0.0";

/** Ports published on one host address, and on all of them. */
const byAddress = {
  name: "published_on_address",
  key: ["ipv4_addr", "inet_proto", "inet_service"],
  value: ["ipv4_addr", "inet_service"],
} as const satisfies Omit<NftMap, "elements">;
const byPort = {
  name: "published",
  key: ["inet_proto", "inet_service"],
  value: ["ipv4_addr", "inet_service"],
} as const satisfies Omit<NftMap, "elements">;

/**
 * Plans the firewall table of a bridge network; executes nothing.
 *
 * In:  the network, and all endpoints with published ports.
 * Out: one table: NAT outwards, DNAT by map lookup, and a filter that lets only the network's own traffic in.
 *      A port costs a map element, not a rule, so packets take the same time whatever is published.
 */
export function planFirewall(network: FirewallNetwork, endpoints: readonly PublishedEndpoint[]): NftTable {
  const elements = planElements(endpoints);
  const elementsOf = (name: string) => elements.find((change) => change.map.name === name)?.elements ?? [];
  return {
    name: network.bridgeName,
    maps: [byAddress, byPort].map((map) => ({ ...map, elements: elementsOf(map.name) })),
    chains: [
      rawChain(network),
      publishChain,
      prerouting,
      output,
      postroutingChain(network),
      forwardChain(network),
    ],
  };
}

/** Marks our rules in chains of other programs. */
export const passReason = ({ bridgeName }: FirewallNetwork): string => `gantry: containers of ${bridgeName}`;

/** Rules for the head of another program's forward chain: what our own table lets through may pass there too. */
export function planPassage(network: FirewallNetwork): NftRule[] {
  return (["iifname", "oifname"] as const).map((field) =>
    rule(passReason(network), { verb: "accept" }, { field, op: "==", value: network.bridgeName }),
  );
}

/** The map elements of published ports. */
export function planElements(endpoints: readonly PublishedEndpoint[]): ElementChange[] {
  const specific: NftElement[] = [];
  const general: NftElement[] = [];
  for (const { ipAddress, ports } of endpoints) {
    for (const { protocol, hostIp, hostPort, containerPort } of ports) {
      const value = [ipAddress, containerPort];
      if (hostIp === ANY_ADDRESS) general.push({ key: [protocol, hostPort], value });
      else specific.push({ key: [hostIp, protocol, hostPort], value });
    }
  }
  return [
    { map: byAddress, elements: specific },
    { map: byPort, elements: general },
  ].filter((change) => change.elements.length > 0);
}

const rule = (reason: string, verdict: NftRule["verdict"], ...matches: NftRule["matches"]): NftRule => ({
  matches,
  verdict,
  reason,
});

const publishChain: NftChain = {
  name: "publish",
  rules: [
    rule("port published on one address", {
      verb: "dnat",
      map: byAddress.name,
      key: ["ip daddr", "meta l4proto", "th dport"],
    }),
    rule("port published on all addresses", {
      verb: "dnat",
      map: byPort.name,
      key: ["meta l4proto", "th dport"],
    }),
  ],
};

const isLocal = { field: "fib daddr type", value: "local" } as const;
const isLoopback = { field: "ip daddr", op: "==", value: "127.0.0.0/8" } as const;

const prerouting: NftChain = {
  name: "prerouting",
  base: { type: "nat", hook: "prerouting", priority: -100 },
  rules: [
    rule("loopback is for this host: a neighbour cannot use it", { verb: "return" }, isLoopback),
    rule("published ports, from elsewhere", { verb: "jump", chain: "publish" }, isLocal),
  ],
};

const output: NftChain = {
  name: "output",
  base: { type: "nat", hook: "output", priority: -100 },
  rules: [rule("published ports, from this host", { verb: "jump", chain: "publish" }, isLocal)],
};

/** route_localnet makes the kernel accept 127/8 on the bridge, which a container must not use (CVE-2020-8558). */
function rawChain({ bridgeName }: FirewallNetwork): NftChain {
  return {
    name: "raw",
    base: { type: "filter", hook: "prerouting", priority: -300 },
    rules: [
      rule(
        "a container cannot reach services on the host's loopback",
        { verb: "drop" },
        { field: "iifname", op: "==", value: bridgeName },
        isLoopback,
      ),
    ],
  };
}

function postroutingChain({ bridgeName, subnet }: FirewallNetwork): NftChain {
  const fromSubnet = { field: "ip saddr", op: "==", value: subnet } as const;
  const toBridge = { field: "oifname", op: "==", value: bridgeName } as const;
  return {
    name: "postrouting",
    base: { type: "nat", hook: "postrouting", priority: 100 },
    rules: [
      rule("containers to the outside", { verb: "masquerade" }, fromSubnet, {
        field: "oifname",
        op: "!=",
        value: bridgeName,
      }),
      rule(
        "loopback of this host to a published port",
        { verb: "masquerade" },
        { field: "ip saddr", op: "==", value: "127.0.0.0/8" },
        toBridge,
      ),
      rule(
        "a container to a port published by its neighbour or itself",
        { verb: "masquerade" },
        fromSubnet,
        toBridge,
        { field: "ct status", words: ["dnat"] },
      ),
    ],
  };
}

function forwardChain({ bridgeName }: FirewallNetwork): NftChain {
  const toBridge = { field: "oifname", op: "==", value: bridgeName } as const;
  const fromBridge = { field: "iifname", op: "==", value: bridgeName } as const;
  return {
    name: "forward",
    base: { type: "filter", hook: "forward", priority: 0 },
    rules: [
      rule("answers", { verb: "accept" }, toBridge, { field: "ct state", words: ["established", "related"] }),
      rule("published ports", { verb: "accept" }, toBridge, { field: "ct status", words: ["dnat"] }),
      rule("between containers of the network", { verb: "accept" }, fromBridge, toBridge),
      rule("containers to the outside", { verb: "accept" }, fromBridge),
      rule("ports that are not published", { verb: "drop" }, toBridge),
    ],
  };
}
