import { attribute, concat, decodeAttributes, decodeU32 } from "./attributes.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from "./messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RT_SCOPE_UNIVERSE = 0;
const IFA_F_PERMANENT = 0x80;
/** What an address is made of beside its name and counters: IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY. */
const carried = [1, 2, 4, 9];
const IFA_FLAGS = 8;
/** Flags that somebody chose: IFA_F_NODAD, IFA_F_HOMEADDRESS, IFA_F_MANAGETEMPADDR, IFA_F_NOPREFIXROUTE, IFA_F_MCAUTOJOIN. */
const chosenFlags = 0x2 | 0x10 | 0x100 | 0x200 | 0x400;
const HEADER_BYTES = 8;

/** An address of any family, to be given to the same link elsewhere. */
export interface KeptAddress {
  readonly family: number;
  readonly prefixLength: number;
  readonly flags: number;
  /** By the kernel's numbers, as it wrote them. */
  readonly attributes: readonly (readonly [type: number, value: Uint8Array])[];
}

/** Permanent addresses of global scope of one link, IPv4 and IPv6. */
export async function listKeptAddresses(socket: NetlinkSocket, index: number): Promise<KeptAddress[]> {
  const message = { type: RTM_GETADDR, flags: NLM_F_DUMP, body: new Uint8Array(HEADER_BYTES) };
  const replies = await socket.request("list addresses", [message]);
  return replies.flatMap(({ body }) => keptAddress(body, index) ?? []);
}

/** struct ifaddrmsg: family, prefix length, flags, scope, index. Undefined for an address that does not move. Pure. */
export function keptAddress(body: Uint8Array, index: number): KeptAddress | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = decodeAttributes(body.subarray(HEADER_BYTES));
  const whole = attributes.get(IFA_FLAGS);
  const flags = whole === undefined ? view.getUint8(2) : decodeU32(whole);
  const moves = (flags & IFA_F_PERMANENT) !== 0 && view.getUint8(3) === RT_SCOPE_UNIVERSE;
  if (!moves || view.getUint32(4, true) !== index) return undefined;
  return {
    family: view.getUint8(0),
    prefixLength: view.getUint8(1),
    flags: flags & chosenFlags,
    attributes: carried.flatMap((type) => {
      const value = attributes.get(type);
      return value === undefined ? [] : [[type, value] as const];
    }),
  };
}

export function addKeptAddressMessage(index: number, address: KeptAddress): NetlinkMessage {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = address.family;
  header[1] = address.prefixLength;
  new DataView(header.buffer).setUint32(4, index, true);
  const body = concat([
    header,
    ...address.attributes.map(([type, value]) => attribute.bytes(type, value)),
    attribute.u32(IFA_FLAGS, address.flags),
  ]);
  return { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, body };
}
