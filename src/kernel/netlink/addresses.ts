import { attribute, concat, decodeAttributes, decodeU32 } from "./attributes.ts";
import { decodeIPv4, formatIPv4, parseIPv4 } from "./ipv4.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from "./messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const AF_INET = 2;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const HEADER_BYTES = { address: 8, route: 12 };

export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly ip: string;
  readonly prefixLength: number;
}

export interface Route {
  readonly destination: string;
  readonly prefixLength: number;
  /** Index of the outgoing interface, or 0. */
  readonly interfaceIndex: number;
}

const bytesOf = (ip: string): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, parseIPv4(ip));
  return bytes;
};

/** The message that gives an interface an address; its route to the subnet comes with it. */
export function addAddressMessage(address: InterfaceAddress): NetlinkMessage {
  const header = new Uint8Array(HEADER_BYTES.address);
  header[0] = AF_INET;
  header[1] = address.prefixLength;
  new DataView(header.buffer).setUint32(4, address.interfaceIndex, true);
  const hostBits = address.prefixLength >= 32 ? 0 : 0xffffffff >>> address.prefixLength;
  const broadcast = formatIPv4((parseIPv4(address.ip) | hostBits) >>> 0);
  const body = concat([
    header,
    attribute.bytes(IFA_LOCAL, bytesOf(address.ip)),
    attribute.bytes(IFA_ADDRESS, bytesOf(address.ip)),
    attribute.bytes(IFA_BROADCAST, bytesOf(broadcast)),
  ]);
  return { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, body };
}

export function addDefaultRouteMessage(gateway: string): NetlinkMessage {
  const header = new Uint8Array(HEADER_BYTES.route);
  header[0] = AF_INET;
  header[4] = RT_TABLE_MAIN;
  header[5] = RTPROT_BOOT;
  header[6] = RT_SCOPE_UNIVERSE;
  header[7] = RTN_UNICAST;
  const body = concat([header, attribute.bytes(RTA_GATEWAY, bytesOf(gateway))]);
  return { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, body };
}

/** IPv4 addresses of all interfaces. */
export async function listAddresses(socket: NetlinkSocket): Promise<InterfaceAddress[]> {
  const header = new Uint8Array(HEADER_BYTES.address);
  header[0] = AF_INET;
  const message = { type: RTM_GETADDR, flags: NLM_F_DUMP, body: header };
  const replies = await socket.request("list addresses", [message]);
  return replies.map(({ body }) => {
    const attributes = decodeAttributes(body.subarray(HEADER_BYTES.address));
    const local = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    return {
      interfaceIndex: view.getUint32(4, true),
      ip: decodeIPv4(local),
      prefixLength: view.getUint8(1),
    };
  });
}

/** IPv4 routes of all tables. */
export async function listRoutes(socket: NetlinkSocket): Promise<Route[]> {
  const header = new Uint8Array(HEADER_BYTES.route);
  header[0] = AF_INET;
  const message = { type: RTM_GETROUTE, flags: NLM_F_DUMP, body: header };
  const replies = await socket.request("list routes", [message]);
  return replies.map(({ body }) => {
    const attributes = decodeAttributes(body.subarray(HEADER_BYTES.route));
    const device = attributes.get(RTA_OIF);
    return {
      destination: decodeIPv4(attributes.get(RTA_DST)),
      prefixLength: body[1] ?? 0,
      interfaceIndex: device ? decodeU32(device) : 0,
    };
  });
}
