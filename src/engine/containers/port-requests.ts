import { invalidParameter } from "../../errors/platform-error.ts";
import type { PortRequest } from "../../network/contract.ts";
import type { ContainerConfig, HostConfig, PortBindingSpec } from "../spec/docker-config.ts";

/**
 * The ports to publish: PortBindings, and with PublishAllPorts every exposed port on a free one.
 *
 * In: `config` with the image's exposed ports merged in.
 * Errors: InvalidParameter naming the broken port.
 */
export function portRequests(config: ContainerConfig, hostConfig: HostConfig): PortRequest[] {
  const bindings = Object.entries(hostConfig.PortBindings ?? {});
  const requested = bindings.flatMap(([key, entries]) =>
    (entries ?? []).map((entry) => portRequest(key, entry)),
  );
  if (!hostConfig.PublishAllPorts) return requested;
  const bound = new Set(bindings.filter(([, entries]) => entries && entries.length > 0).map(([key]) => key));
  const exposed = Object.keys(config.ExposedPorts ?? {}).filter((key) => !bound.has(key));
  return [...requested, ...exposed.map((key) => portRequest(key, {}))];
}

function portRequest(key: string, entry: PortBindingSpec): PortRequest {
  const { containerPort, protocol } = parsePortKey(key);
  return {
    protocol,
    containerPort,
    hostIp: entry.HostIp || "0.0.0.0",
    hostPort: parseHostPort(entry.HostPort ?? ""),
  };
}

/** `80/tcp`, or `80`. */
export function parsePortKey(key: string): { containerPort: number; protocol: "tcp" | "udp" } {
  const parts = /^(\d{1,5})(?:\/(\w+))?$/.exec(key);
  const containerPort = Number(parts?.[1]);
  const protocol = (parts?.[2] ?? "tcp").toLowerCase();
  if (!parts || containerPort < 1 || containerPort > 65535)
    throw invalidParameter(`invalid port specification: ${JSON.stringify(key)}`);
  if (protocol !== "tcp" && protocol !== "udp") {
    throw invalidParameter(
      `invalid port specification: ${JSON.stringify(key)}: protocol is neither tcp nor udp`,
    );
  }
  return { containerPort, protocol };
}

/** Empty or `0`: any free one. */
function parseHostPort(text: string): PortRequest["hostPort"] {
  if (text === "") return 0;
  const parts = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(parts?.[1]);
  const to = Number(parts?.[2] ?? parts?.[1]);
  if (!parts || to > 65535 || from > to || (from === 0 && to > 0))
    throw invalidParameter(`invalid port specification: ${JSON.stringify(text)}`);
  return from === to ? from : { from, to };
}
