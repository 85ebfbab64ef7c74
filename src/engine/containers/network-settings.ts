import type { Endpoint, PortBinding } from "../../network/contract.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import type { Container } from "./container.ts";

/** NetworkSettings of `inspect`. engine-api.yaml, NetworkSettings; the legacy top-level fields are the default bridge's. */
export function networkSettings(container: Container): object {
  const { endpoint } = container.record;
  const onBridge = endpoint?.networkName === "bridge" ? endpoint : undefined;
  return {
    Bridge: "",
    SandboxID: endpoint?.netnsPath === undefined ? "" : container.id,
    SandboxKey: endpoint?.netnsPath ?? "",
    Ports: portMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: onBridge?.endpointId ?? "",
    Gateway: onBridge?.gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: onBridge?.ipAddress ?? "",
    IPPrefixLen: onBridge?.prefixLength ?? 0,
    IPv6Gateway: "",
    MacAddress: onBridge?.macAddress ?? "",
    Networks: { [networkName(container)]: endpointSettings(endpoint) },
  };
}

/** The network that the container is on, or will be on. */
export function networkName(container: Container): string {
  const { endpoint, hostConfig } = container.record;
  const mode = hostConfig.NetworkMode || "default";
  return endpoint?.networkName ?? (mode === "default" ? "bridge" : mode);
}

/** engine-api.yaml, EndpointSettings. */
export function endpointSettings(endpoint: Endpoint | undefined): object {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: endpoint?.macAddress ?? "",
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: endpoint?.networkId ?? "",
    EndpointID: endpoint?.endpointId ?? "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipAddress ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

/** Exposed ports with their host bindings while it runs; null for one that is not published. */
function portMap(container: Container): Record<string, object[] | null> {
  const { endpoint, config, imageConfig } = container.record;
  if (!endpoint) return {};
  const exposed = Object.keys(mergeImageConfig(config, imageConfig).ExposedPorts ?? {});
  const map: Record<string, object[] | null> = Object.fromEntries(exposed.map((port) => [port, null]));
  for (const binding of endpoint.ports) {
    const key = `${binding.containerPort}/${binding.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: binding.hostIp, HostPort: String(binding.hostPort) }];
  }
  return map;
}

/** Ports of a row of `ps`. engine-api.yaml, PortSummary. */
export function portSummaries(container: Container): object[] {
  const { endpoint, config, imageConfig } = container.record;
  if (!endpoint) return [];
  const isPublished = (port: string): boolean =>
    endpoint.ports.some((binding) => `${binding.containerPort}/${binding.protocol}` === port);
  const exposed = Object.keys(mergeImageConfig(config, imageConfig).ExposedPorts ?? {})
    .filter((port) => !isPublished(port))
    .map((port) => ({ PrivatePort: Number(port.split("/")[0]), Type: port.split("/")[1] ?? "tcp" }));
  return [...exposed, ...endpoint.ports.map(publishedPort)];
}

const publishedPort = (binding: PortBinding): object => ({
  IP: binding.hostIp,
  PrivatePort: binding.containerPort,
  PublicPort: binding.hostPort,
  Type: binding.protocol,
});
