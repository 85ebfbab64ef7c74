import { invalidParameter } from "../../errors/platform-error.ts";

export interface HostsRequest {
  /** Undefined for a container without a network. */
  readonly ipAddress: string | undefined;
  readonly hostname: string;
  readonly domainname?: string;
  /** HostConfig.ExtraHosts: `name:address` or `name=address`; the address may be `host-gateway`. */
  readonly extraHosts?: readonly string[];
  /** What `host-gateway` stands for. */
  readonly hostGateway?: string;
}

const defaults = [
  ["127.0.0.1", "localhost"],
  ["::1", "localhost ip6-localhost ip6-loopback"],
  ["fe00::", "ip6-localnet"],
  ["ff00::", "ip6-mcastprefix"],
  ["ff02::1", "ip6-allnodes"],
  ["ff02::2", "ip6-allrouters"],
] as const;

/** Contents of a container's /etc/hosts, as Docker writes them: defaults, extra hosts, the container itself. */
export function hostsFile(request: HostsRequest): string {
  const { ipAddress, hostname, domainname, extraHosts = [], hostGateway } = request;
  const names = domainname ? `${hostname}.${domainname} ${hostname}` : hostname;
  const own = ipAddress === undefined ? [] : [[ipAddress, names] as const];
  const extra = extraHosts.map((text) => parseExtraHost(text, hostGateway));
  return lines([...defaults, ...extra, ...own]);
}

/** With the host's network a container sees the host's own file, and the extra hosts. */
export function hostsFileOfHost(
  hostFile: string,
  request: Pick<HostsRequest, "extraHosts" | "hostGateway">,
): string {
  const extra = (request.extraHosts ?? []).map((text) => parseExtraHost(text, request.hostGateway));
  const separator = hostFile === "" || hostFile.endsWith("\n") ? "" : "\n";
  return hostFile + separator + lines(extra);
}

const lines = (entries: readonly (readonly [string, string])[]): string =>
  entries.map(([address, names]) => `${address}\t${names}\n`).join("");

function parseExtraHost(text: string, hostGateway: string | undefined): [address: string, name: string] {
  const separator = /^[^:=]*[:=]/.exec(text)?.[0].length ?? 0;
  const name = text.slice(0, Math.max(separator - 1, 0));
  const address = text.slice(separator).replace(/^\[(.*)\]$/, "$1");
  if (name === "" || address === "") throw invalidParameter(`bad format for add-host: "${text}"`);
  if (address !== "host-gateway") return [address, name];
  if (hostGateway === undefined)
    throw invalidParameter(`unable to derive the IP value for host-gateway: ${name} has no bridge network`);
  return [hostGateway, name];
}
