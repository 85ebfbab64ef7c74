import { conflict, invalidParameter } from "../../errors/platform-error.ts";
import { addAddressMessage, listAddresses, listRoutes } from "../../kernel/netlink/addresses.ts";
import {
  formatIPv4,
  formatSubnet,
  maskOf,
  parseInterfaceAddress,
  parseIPv4,
  type Subnet,
} from "../../kernel/netlink/ipv4.ts";
import { createBridge, deleteLink, getLink, type Link, listLinks } from "../../kernel/netlink/links.ts";
import type { NetlinkSocket } from "../../kernel/netlink/netlink-socket.ts";
import { isErrno } from "../../kernel/syscall.ts";
import { writeSysctl } from "../../kernel/sysctl.ts";
import { chooseSubnet } from "../ipam/choose-subnet.ts";
import { formatOwner, isAbandoned } from "./bridge-owner.ts";

export interface BridgeRequest {
  readonly networkId: string;
  readonly root: string;
  /** What the user named: a name that has to be free or ours, an address with prefix or a subnet. */
  readonly wantedName: string | undefined;
  readonly wantedAddress: string | undefined;
  /** What an earlier run of this engine chose. */
  readonly previousName: string | undefined;
  readonly previousAddress: string | undefined;
}

export interface Bridge {
  readonly name: string;
  /** Interface index. */
  readonly index: number;
  readonly subnet: string;
  readonly gateway: string;
}

const BASE_NAME = "gantry";

/**
 * Makes the bridge, or takes over the one this engine made before: a name that no other engine uses, a subnet that
 * overlaps with none of the host's, the gateway's address, forwarding.
 * Errors: Conflict when the name that the user wants belongs to somebody else.
 */
export async function openBridge(socket: NetlinkSocket, request: BridgeRequest): Promise<Bridge> {
  const link = await claimLink(socket, request);
  const address =
    request.wantedAddress ??
    request.previousAddress ??
    chooseSubnet(await subnetsOfOthers(socket, link.index));
  const { subnet, gateway, prefixLength } = parseBridgeAddress(address);
  await addGateway(socket, link, gateway, prefixLength);
  writeSysctl("net/ipv4/ip_forward", "1");
  // Lets 127.0.0.1 of the host reach published ports by DNAT.
  writeSysctl(`net/ipv4/conf/${link.name}/route_localnet`, "1");
  return { name: link.name, index: link.index, subnet, gateway };
}

/** Interfaces of deleted namespaces vanish a little later: 50 ms are usual. */
const PORTS_GONE_ATTEMPTS = 50;
const PORTS_GONE_INTERVAL_MS = 10;

/** Waits until no interface is left in the bridge, but not for one that somebody keeps alive. */
export async function waitForEmptyBridge(socket: NetlinkSocket, index: number): Promise<void> {
  for (let attempt = 0; attempt < PORTS_GONE_ATTEMPTS; attempt++) {
    const links = await listLinks(socket);
    if (!links.some((link) => link.master === index)) return;
    await new Promise((resolve) => setTimeout(resolve, PORTS_GONE_INTERVAL_MS));
  }
}

/** A second call does nothing. */
export async function removeBridge(socket: NetlinkSocket, name: string): Promise<void> {
  try {
    await deleteLink(socket, name);
  } catch (error) {
    if (!isErrno(error, "ENODEV")) throw error;
  }
}

async function claimLink(socket: NetlinkSocket, request: BridgeRequest): Promise<Link> {
  for (const name of candidateNames(request)) {
    const link = await claimName(socket, name, request);
    if (link) return link;
  }
  throw conflict(`bridge ${request.wantedName ?? BASE_NAME}: the name is used by somebody else`, {
    code: "network.bridge-taken",
    hint: "choose another name with --bridge",
  });
}

function candidateNames({ wantedName, previousName }: BridgeRequest): string[] {
  if (wantedName) return [wantedName];
  const defaults = Array.from({ length: 64 }, (_, index) => `${BASE_NAME}${index}`);
  return previousName ? [previousName, ...defaults] : defaults;
}

/** Undefined when somebody else has the name. */
async function claimName(
  socket: NetlinkSocket,
  name: string,
  { networkId, root }: BridgeRequest,
): Promise<Link | undefined> {
  const alias = formatOwner({ networkId, root });
  const existing = await findLink(socket, name);
  if (existing?.kind === "bridge" && existing.alias === alias) return existing;
  if (existing && !(existing.kind === "bridge" && isAbandoned(existing.alias))) return undefined;
  if (existing) await removeBridge(socket, name);
  try {
    await createBridge(socket, { name, macAddress: macOf(networkId), alias });
  } catch (error) {
    if (isErrno(error, "EEXIST")) return undefined; // another engine was faster
    throw error;
  }
  return getLink(socket, name);
}

async function findLink(socket: NetlinkSocket, name: string): Promise<Link | undefined> {
  try {
    return await getLink(socket, name);
  } catch (error) {
    if (isErrno(error, "ENODEV")) return undefined;
    throw error;
  }
}

/** Locally administered, and the same at every start. */
const macOf = (networkId: string): string =>
  ["02", "42", ...(networkId.match(/../g) ?? []).slice(0, 4)].join(":");

async function addGateway(
  socket: NetlinkSocket,
  link: Link,
  ip: string,
  prefixLength: number,
): Promise<void> {
  try {
    await socket.request(`give ${link.name} the address ${ip}`, [
      addAddressMessage({ interfaceIndex: link.index, ip, prefixLength }),
    ]);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error; // a bridge of an earlier run has it
  }
}

/** Addresses and routes of the host, except those of our own bridge. */
async function subnetsOfOthers(socket: NetlinkSocket, bridgeIndex: number): Promise<Subnet[]> {
  const addresses = await listAddresses(socket);
  const routes = await listRoutes(socket);
  return [
    ...addresses.map((address) => ({ ...address, destination: address.ip, prefixLength: 32 })),
    ...routes,
  ]
    .filter((entry) => entry.interfaceIndex !== bridgeIndex)
    .map(({ destination, prefixLength }) => ({ address: parseIPv4(destination), prefixLength }));
}

/**
 * `172.17.0.1/16` is the bridge's own address and its subnet's; of a subnet `172.17.0.0/16` it takes the first address.
 * Errors: InvalidParameter, also for a subnet that cannot hold a gateway and a container.
 */
export function parseBridgeAddress(text: string): { subnet: string; gateway: string; prefixLength: number } {
  const { ip, subnet } = parseInterfaceAddress(text);
  if (subnet.prefixLength > 30)
    throw invalidParameter(`subnet ${text} is too small: a bridge needs a prefix of at most 30 bits`);
  const broadcast = (subnet.address | ~maskOf(subnet.prefixLength)) >>> 0;
  if (parseIPv4(ip) === broadcast) throw invalidParameter(`${text} is the broadcast address of its subnet`);
  const gateway = parseIPv4(ip) === subnet.address ? formatIPv4(subnet.address + 1) : ip;
  return { subnet: formatSubnet(subnet), gateway, prefixLength: subnet.prefixLength };
}
