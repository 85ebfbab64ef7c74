import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { addAddressMessage, addDefaultRouteMessage } from "../../kernel/netlink/addresses.ts";
import { createVeth, getLink, setHairpin, setLinkUpMessage } from "../../kernel/netlink/links.ts";
import { NetlinkSocket } from "../../kernel/netlink/netlink-socket.ts";
import { type AddressAllocator, macOf } from "../ipam/address-allocator.ts";
import type { NamespaceFiles } from "../netns/namespace-files.ts";
import type { Bridge } from "./open-bridge.ts";

export const INTERFACE_NAME = "eth0";

/** A namespace with an interface in the bridge, an address and a default route: all a container needs. */
export interface PreparedEndpoint {
  readonly netnsPath: string;
  readonly ipAddress: string;
  readonly macAddress: string;
}

/** What an endpoint is made of. */
export interface EndpointParts {
  readonly socket: NetlinkSocket;
  readonly namespaces: NamespaceFiles;
  readonly addresses: AddressAllocator;
  readonly bridge: Bridge;
}

/** On failure address and namespace are given back. Errors: Unavailable when the subnet is full. */
export async function makeEndpoint(parts: EndpointParts): Promise<PreparedEndpoint> {
  const ipAddress = parts.addresses.allocate();
  let netnsPath: string | undefined;
  try {
    netnsPath = await parts.namespaces.create();
    const endpoint = { netnsPath, ipAddress, macAddress: macOf(ipAddress) };
    await plugIn(parts, endpoint);
    return endpoint;
  } catch (error) {
    parts.addresses.release(ipAddress);
    if (netnsPath) await parts.namespaces.remove(netnsPath);
    throw error;
  }
}

/** The address is free at once; the veth goes with its namespace, which the kernel deletes in the background. */
export async function dropEndpoint(parts: EndpointParts, endpoint: PreparedEndpoint): Promise<void> {
  parts.addresses.release(endpoint.ipAddress);
  await parts.namespaces.remove(endpoint.netnsPath);
}

async function plugIn(
  { socket, bridge, addresses }: EndpointParts,
  endpoint: PreparedEndpoint,
): Promise<void> {
  const netnsFd = openSync(endpoint.netnsPath, "r");
  try {
    const port = await createVeth(socket, {
      name: `veth${randomBytes(4).toString("hex")}`,
      master: bridge.index,
      peer: { name: INTERFACE_NAME, macAddress: endpoint.macAddress, netnsFd },
    });
    await setHairpin(socket, port.index);
    await configure(netnsFd, endpoint.ipAddress, addresses.prefixLength, bridge.gateway);
  } finally {
    closeSync(netnsFd);
  }
}

async function configure(netnsFd: number, ip: string, prefixLength: number, gateway: string): Promise<void> {
  using inside = NetlinkSocket.openIn(netnsFd);
  const { index } = await getLink(inside, INTERFACE_NAME);
  await inside.request(`configure ${INTERFACE_NAME} with ${ip}`, [
    setLinkUpMessage(index),
    addAddressMessage({ interfaceIndex: index, ip, prefixLength }),
    addDefaultRouteMessage(gateway),
  ]);
}
