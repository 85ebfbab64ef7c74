import { attribute, concat, decodeAttributes, decodeString, decodeU32 } from "./attributes.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from "./messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

/** rtnetlink(7). */
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const AF_BRIDGE = 7;
const IFF_UP = 1;
const IFINFOMSG_BYTES = 16;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BR_STP_STATE = 5;
const IFLA_BRPORT_MODE = 4;
const VETH_INFO_PEER = 1;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `02:42:ac:11:00:02`; empty for links without one. */
  readonly macAddress: string;
  /** The administrator's free text, or empty. */
  readonly alias: string;
  /** Index of the bridge whose port it is, or 0. */
  readonly master: number;
  /** `bridge`, `veth`, …; empty for hardware and loopback. */
  readonly kind: string;
  readonly up: boolean;
}

export function parseMac(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** struct ifinfomsg. `up` makes the kernel bring it up at once. */
function linkHeader(options: { family?: number; index?: number; up?: boolean }): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, options.family ?? 0);
  view.setInt32(4, options.index ?? 0, true);
  if (options.up) {
    view.setUint32(8, IFF_UP, true);
    view.setUint32(12, IFF_UP, true);
  }
  return bytes;
}

const linkInfo = (kind: string, data: readonly Uint8Array[]): Uint8Array =>
  attribute.nested(IFLA_LINKINFO, [
    attribute.string(IFLA_INFO_KIND, kind),
    attribute.nested(IFLA_INFO_DATA, data),
  ]);

const created = (body: readonly Uint8Array[]): NetlinkMessage => ({
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
  body: concat(body),
});

/** Errors: errno.EEXIST when the name is taken. A MAC of its own keeps it from changing with every port. */
export async function createBridge(
  socket: NetlinkSocket,
  bridge: { name: string; macAddress: string; alias: string },
): Promise<void> {
  const message = created([
    linkHeader({ up: true }),
    attribute.string(IFLA_IFNAME, bridge.name),
    attribute.bytes(IFLA_ADDRESS, parseMac(bridge.macAddress)),
    linkInfo("bridge", [attribute.u32(IFLA_BR_STP_STATE, 0)]),
  ]);
  await socket.request(`create bridge ${bridge.name}`, [message]);
  // Creation ignores the alias.
  await socket.request(`name the owner of bridge ${bridge.name}`, [
    {
      type: RTM_SETLINK,
      flags: NLM_F_ACK,
      body: concat([
        linkHeader({}),
        attribute.string(IFLA_IFNAME, bridge.name),
        attribute.string(IFLA_IFALIAS, bridge.alias),
      ]),
    },
  ]);
}

export interface VethPair {
  /** The end in this namespace, which becomes a port of the bridge with index `master`. */
  readonly name: string;
  readonly master: number;
  readonly peer: {
    readonly name: string;
    readonly macAddress: string;
    readonly netnsFd: number;
  };
}

/**
 * Makes both ends, the peer directly in its own namespace; this end is up, the peer has to be brought up.
 * Returns this end.
 */
export async function createVeth(socket: NetlinkSocket, veth: VethPair): Promise<Link> {
  const peer = concat([
    linkHeader({}), // up is refused here: the ends do not know each other yet
    attribute.string(IFLA_IFNAME, veth.peer.name),
    attribute.bytes(IFLA_ADDRESS, parseMac(veth.peer.macAddress)),
    attribute.u32(IFLA_NET_NS_FD, veth.peer.netnsFd),
  ]);
  const pair = created([
    linkHeader({ up: true }),
    attribute.string(IFLA_IFNAME, veth.name),
    attribute.u32(IFLA_MASTER, veth.master),
    linkInfo("veth", [attribute.bytes(VETH_INFO_PEER, peer)]),
  ]);
  const replies = await socket.request(`create veth ${veth.name}`, [pair, lookUp(veth.name)]);
  return parseLink(replies[0]?.body ?? new Uint8Array(IFINFOMSG_BYTES));
}

/** Lets the bridge send a frame back through the port it came from: a container reaches its own published port. */
export async function setHairpin(socket: NetlinkSocket, portIndex: number): Promise<void> {
  const body = concat([
    linkHeader({ family: AF_BRIDGE, index: portIndex }),
    attribute.nested(IFLA_PROTINFO, [attribute.u8(IFLA_BRPORT_MODE, 1)]),
  ]);
  await socket.request("set hairpin mode of a bridge port", [{ type: RTM_SETLINK, flags: NLM_F_ACK, body }]);
}

/** The message that brings a link up. */
export function setLinkUpMessage(index: number): NetlinkMessage {
  return { type: RTM_NEWLINK, flags: NLM_F_ACK, body: linkHeader({ index, up: true }) };
}

/** The message that moves a link to another namespace under another name; it is down there, and has no addresses. */
export const moveLinkMessage = (index: number, name: string, netnsFd: number): NetlinkMessage => ({
  type: RTM_NEWLINK,
  flags: NLM_F_ACK,
  body: concat([
    linkHeader({ index }),
    attribute.u32(IFLA_NET_NS_FD, netnsFd),
    attribute.string(IFLA_IFNAME, name),
  ]),
});

/** Slow for a veth (25 ms): deleting its namespace takes it along in the background. */
export async function deleteLink(socket: NetlinkSocket, name: string): Promise<void> {
  const body = concat([linkHeader({}), attribute.string(IFLA_IFNAME, name)]);
  await socket.request(`delete link ${name}`, [{ type: RTM_DELLINK, flags: NLM_F_ACK, body }]);
}

/** Errors: errno.ENODEV. */
export async function getLink(socket: NetlinkSocket, name: string): Promise<Link> {
  const replies = await socket.request(`look up link ${name}`, [lookUp(name)]);
  return parseLink(replies[0]?.body ?? new Uint8Array(IFINFOMSG_BYTES));
}

const lookUp = (name: string): NetlinkMessage => ({
  type: RTM_GETLINK,
  flags: 0,
  body: concat([linkHeader({}), attribute.string(IFLA_IFNAME, name)]),
});

export async function listLinks(socket: NetlinkSocket): Promise<Link[]> {
  const message = { type: RTM_GETLINK, flags: NLM_F_DUMP, body: linkHeader({}) };
  const replies = await socket.request("list links", [message]);
  return replies.map((reply) => parseLink(reply.body));
}

function parseLink(body: Uint8Array): Link {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = decodeAttributes(body.subarray(IFINFOMSG_BYTES));
  const text = (type: number) => decodeString(attributes.get(type) ?? new Uint8Array());
  const master = attributes.get(IFLA_MASTER);
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array());
  return {
    index: view.getInt32(4, true),
    name: text(IFLA_IFNAME),
    macAddress: formatMac(attributes.get(IFLA_ADDRESS) ?? new Uint8Array()),
    alias: text(IFLA_IFALIAS),
    master: master ? decodeU32(master) : 0,
    kind: decodeString(info.get(IFLA_INFO_KIND) ?? new Uint8Array()),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
  };
}
