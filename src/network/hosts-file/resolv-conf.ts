import { isIPv4, isIPv6 } from "node:net";

export interface ResolvConfRequest {
  /** Contents of the host's /etc/resolv.conf; see hostResolvConfPath. */
  readonly hostFile: string;
  /** HostConfig.Dns, DnsSearch, DnsOptions: each replaces what the host has, unless empty. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** The container shares the host's network, so the host's loopback is its own. */
  readonly hostNetwork: boolean;
}

/** Docker's choice where the host has no server that a container could reach. */
const fallbackServers = ["8.8.8.8", "8.8.4.4"];

/**
 * systemd-resolved puts its stub 127.0.0.53 into /etc/resolv.conf; the servers behind it stand in its own file.
 */
export function hostResolvConfPath(etcResolvConf: string): string {
  const servers = parse(etcResolvConf).servers;
  return servers.length === 1 && servers[0] === "127.0.0.53"
    ? "/run/systemd/resolve/resolv.conf"
    : "/etc/resolv.conf";
}

/**
 * Contents of a container's /etc/resolv.conf on the default bridge. Name servers on the host's loopback cannot be
 * reached from there, nor can IPv6 ones: they are left out.
 */
export function resolvConf(request: ResolvConfRequest): string {
  const host = parse(request.hostFile);
  const servers = given(request.dns) ?? serversOf(host.servers, request.hostNetwork);
  // A single dot means: no search domains at all.
  const search = (given(request.dnsSearch) ?? host.search).filter((domain) => domain !== ".");
  const options = given(request.dnsOptions) ?? host.options;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}\n`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}\n`]),
  ].join("");
}

const given = (list: readonly string[] | undefined): readonly string[] | undefined =>
  list && list.length > 0 ? list : undefined;

function serversOf(servers: readonly string[], hostNetwork: boolean): readonly string[] {
  if (hostNetwork) return servers;
  const reachable = servers.filter((server) => isIPv4(server) && !server.startsWith("127."));
  return reachable.length > 0 ? reachable : fallbackServers;
}

/** resolv.conf(5): the last `search` or `domain` line counts, options add up. */
function parse(text: string): { servers: string[]; search: string[]; options: string[] } {
  const servers: string[] = [];
  const options: string[] = [];
  let search: string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    const address = values[0] ?? "";
    if (keyword === "nameserver" && (isIPv4(address) || isIPv6(address))) servers.push(address);
    if (keyword === "search" || keyword === "domain") search = values;
    if (keyword === "options") options.push(...values);
  }
  return { servers, search, options };
}
