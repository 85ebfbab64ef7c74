import { attribute, concat, decodeAttributes, decodeString } from "../netlink/attributes.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP } from "../netlink/messages.ts";
import type { NetlinkSocket } from "../netlink/netlink-socket.ts";
import { batch, ruleAttributes } from "./encode-table.ts";
import type { NftRule } from "./ruleset.ts";

/** Chains and rules in tables of other programs (iptables-nft, firewall front ends), for families ip and inet. */
const SUBSYSTEM = 10 << 8;
const NEW_RULE = SUBSYSTEM | 6;
const GET_CHAIN = SUBSYSTEM | 4;
const GET_RULE = SUBSYSTEM | 7;
const DELETE_RULE = SUBSYSTEM | 8;
const NFPROTO_INET = 1;
const NFPROTO_IPV4 = 2;
const HEADER_BYTES = 4;
const HOOK_FORWARD = 2;
const NF_DROP = 0;

export interface ForeignChain {
  /** NFPROTO_INET or NFPROTO_IPV4. */
  readonly family: number;
  readonly table: string;
  readonly name: string;
}

const header = (family: number): Uint8Array => new Uint8Array([family, 0, 0, 0]);

/** Base chains at the forward hook that drop what none of their rules accepts. */
export async function listDroppingForwardChains(socket: NetlinkSocket): Promise<ForeignChain[]> {
  const message = { type: GET_CHAIN, flags: NLM_F_DUMP, body: header(0) };
  const replies = await socket.request("list firewall chains", [message]);
  return replies.flatMap(({ body }) => {
    const family = body[0] ?? 0;
    const attributes = decodeAttributes(body.subarray(HEADER_BYTES));
    const hook = decodeAttributes(attributes.get(4) ?? new Uint8Array()).get(1);
    const drops = bigEndian(hook) === HOOK_FORWARD && bigEndian(attributes.get(5)) === NF_DROP;
    if (!drops || (family !== NFPROTO_IPV4 && family !== NFPROTO_INET)) return [];
    return [{ family, table: text(attributes.get(1)), name: text(attributes.get(3)) }];
  });
}

/** Puts rules before all others of the chain. */
export async function insertRules(
  socket: NetlinkSocket,
  chain: ForeignChain,
  rules: readonly NftRule[],
): Promise<void> {
  const messages = rules.toReversed().map(
    (rule): NetlinkMessage => ({
      type: NEW_RULE,
      flags: NLM_F_CREATE | NLM_F_ACK,
      body: concat([...placeOf(chain), ...ruleAttributes(rule)]),
    }),
  );
  await socket.request(`insert rules into chain ${chain.table} ${chain.name}`, batch(messages));
}

/** Removes the rules with this comment; returns how many there were. */
export async function removeRules(
  socket: NetlinkSocket,
  chain: ForeignChain,
  reason: string,
): Promise<number> {
  const list = { type: GET_RULE, flags: NLM_F_DUMP, body: concat(placeOf(chain)) };
  const replies = await socket.request(`list rules of chain ${chain.table} ${chain.name}`, [list]);
  const handles = replies
    .map(({ body }) => decodeAttributes(body.subarray(HEADER_BYTES)))
    .filter((attributes) => commentOf(attributes.get(7)) === reason)
    .flatMap((attributes) => attributes.get(3) ?? []);
  const messages = handles.map(
    (handle): NetlinkMessage => ({
      type: DELETE_RULE,
      flags: NLM_F_ACK,
      body: concat([...placeOf(chain), attribute.bytes(3, handle)]),
    }),
  );
  const what = `remove rules from chain ${chain.table} ${chain.name}`;
  if (messages.length > 0) await socket.request(what, batch(messages));
  return messages.length;
}

const placeOf = (chain: ForeignChain): Uint8Array[] => [
  header(chain.family),
  attribute.string(1, chain.table),
  attribute.string(2, chain.name),
];

/** nft's user data: u8 type (0 is the comment), u8 length, text with NUL. */
function commentOf(userData: Uint8Array | undefined): string | undefined {
  return userData?.[0] === 0 ? decodeString(userData.subarray(2)) : undefined;
}

const text = (value: Uint8Array | undefined): string => decodeString(value ?? new Uint8Array());

function bigEndian(value: Uint8Array | undefined): number | undefined {
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0);
}
