import { attribute, concat, decodeAttributes } from "./attributes.ts";
import { decodeIPv4 } from "./ipv4.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_DUMP } from "./messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

/** linux/netfilter/nfnetlink_conntrack.h */
const SUBSYSTEM = 1 << 8;
const GET = SUBSYSTEM | 1;
const DELETE = SUBSYSTEM | 2;
const AF_INET = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const IPPROTO_UDP = 17;
const HEADER = new Uint8Array([AF_INET, 0, 0, 0]);

/** A tracked UDP flow. */
export interface UdpFlow {
  /** Where the client sent to. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Who answers: another address where the flow is redirected. */
  readonly responder: string;
  /** What names it in requests. */
  readonly tuple: Uint8Array;
}

/** All IPv4 UDP flows that the kernel tracks. */
export async function listUdpFlows(socket: NetlinkSocket): Promise<UdpFlow[]> {
  const message = { type: GET, flags: NLM_F_DUMP, body: HEADER };
  const replies = await socket.request("list tracked connections", [message]);
  return replies.flatMap(({ body }) => parseFlow(body.subarray(HEADER.length)) ?? []);
}

/** Their next packet begins a new flow, by the rules of then. Those that ended meanwhile are fine. */
export async function deleteFlows(socket: NetlinkSocket, flows: readonly UdpFlow[]): Promise<void> {
  for (const { tuple } of flows) {
    const body = concat([HEADER, attribute.nested(CTA_TUPLE_ORIG, [tuple])]);
    const message: NetlinkMessage = { type: DELETE, flags: NLM_F_ACK, body };
    await socket.request("forget a tracked connection", [message]).catch(() => {});
  }
}

function parseFlow(body: Uint8Array): UdpFlow | undefined {
  const attributes = decodeAttributes(body);
  const tuple = attributes.get(CTA_TUPLE_ORIG);
  const reply = attributes.get(CTA_TUPLE_REPLY);
  if (!tuple || !reply) return undefined;
  const original = parseTuple(tuple);
  if (original.protocol !== IPPROTO_UDP) return undefined;
  return {
    destination: original.destination,
    destinationPort: original.destinationPort,
    responder: parseTuple(reply).source,
    tuple,
  };
}

/** CTA_TUPLE_IP (1): source 1, destination 2. CTA_TUPLE_PROTO (2): number 1, destination port 3. */
function parseTuple(tuple: Uint8Array): {
  source: string;
  destination: string;
  protocol: number;
  destinationPort: number;
} {
  const parts = decodeAttributes(tuple);
  const addresses = decodeAttributes(parts.get(1) ?? new Uint8Array());
  const protocol = decodeAttributes(parts.get(2) ?? new Uint8Array());
  const port = protocol.get(3);
  return {
    source: decodeIPv4(addresses.get(1)),
    destination: decodeIPv4(addresses.get(2)),
    protocol: protocol.get(1)?.[0] ?? 0,
    destinationPort: port?.length === 2 ? ((port[0] ?? 0) << 8) | (port[1] ?? 0) : 0,
  };
}
