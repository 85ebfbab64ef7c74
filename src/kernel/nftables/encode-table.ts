import { attribute, concat } from "../netlink/attributes.ts";
import { parseIPv4 } from "../netlink/ipv4.ts";
import { type NetlinkMessage, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE } from "../netlink/messages.ts";
import { encodeRule } from "./expressions.ts";
import type { NftChain, NftElement, NftMap, NftRule, NftTable, NftType, NftValue } from "./ruleset.ts";

/** linux/netfilter/nfnetlink.h, nf_tables.h. */
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFPROTO_IPV4 = 2;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_NEWSET = 9;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NFT_SET_MAP = 0x8;
const NFTA_LIST_ELEM = 1;
const NFTA_DATA_VALUE = 1;
/** nft stores comments as a type-length-value of its own in the rule's user data. */
const UDATA_RULE_COMMENT = 0;

const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const protocols: Readonly<Record<string, number>> = { tcp: 6, udp: 17 };
/** nft's numbers of data types, by which it prints a map; the kernel only stores them. */
const typeNumbers: Record<NftType, number> = { ipv4_addr: 7, inet_proto: 12, inet_service: 13 };
/** An attribute holds 64 KiB at most; an element takes about 60 bytes. */
const ELEMENTS_PER_MESSAGE = 500;

/** struct nfgenmsg. */
function header(family: number, resource = 0): Uint8Array {
  return new Uint8Array([family, 0, resource >> 8, resource & 0xff]);
}

/** All messages take effect at once, or none. */
export function batch(messages: readonly NetlinkMessage[]): NetlinkMessage[] {
  const body = header(0, NFNL_SUBSYS_NFTABLES);
  return [
    { type: NFNL_MSG_BATCH_BEGIN, flags: 0, body },
    ...messages,
    { type: NFNL_MSG_BATCH_END, flags: 0, body },
  ];
}

function message(type: number, flags: number, attributes: readonly Uint8Array[]): NetlinkMessage {
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | type,
    flags: flags | NLM_F_ACK,
    body: concat([header(NFPROTO_IPV4), ...attributes]),
  };
}

/** Replaces the table, whether it exists or not. */
export function encodeTable(table: NftTable): NetlinkMessage[] {
  return [
    newTable(table.name), // deleting needs one
    ...encodeTableRemoval(table.name),
    newTable(table.name),
    ...table.maps.map((map, index) => newMap(table.name, map, index + 1)),
    ...table.chains.map((chain) => newChain(table.name, chain)),
    ...table.chains.flatMap((chain) => chain.rules.map((rule) => newRule(table.name, chain.name, rule))),
    ...table.maps.flatMap((map) => encodeElements("add", table.name, map, map.elements)),
  ];
}

export function encodeTableRemoval(name: string): NetlinkMessage[] {
  return [message(NFT_MSG_DELTABLE, 0, [attribute.string(1, name)])];
}

const newTable = (name: string) => message(NFT_MSG_NEWTABLE, NLM_F_CREATE, [attribute.string(1, name)]);

/** NFTA_SET_*: 1 table, 2 name, 3 flags, 4-5 key's type and length, 6-7 value's, 10 id in this batch. */
function newMap(table: string, map: NftMap, id: number): NetlinkMessage {
  return message(NFT_MSG_NEWSET, NLM_F_CREATE, [
    attribute.string(1, table),
    attribute.string(2, map.name),
    attribute.be32(3, NFT_SET_MAP),
    attribute.be32(4, typeNumber(map.key)),
    attribute.be32(5, map.key.length * 4),
    attribute.be32(6, typeNumber(map.value)),
    attribute.be32(7, map.value.length * 4),
    attribute.be32(10, id),
  ]);
}

/** A concatenated type has six bits for each part. */
const typeNumber = (types: readonly NftType[]): number =>
  types.reduce((number, type) => (number << 6) | typeNumbers[type], 0);

/** NFTA_CHAIN_*: 1 table, 3 name, 4 hook (1 number, 2 priority), 5 policy, 7 type. */
function newChain(table: string, chain: NftChain): NetlinkMessage {
  const parts = [attribute.string(1, table), attribute.string(3, chain.name)];
  if (chain.base) {
    const { hook, priority, type } = chain.base;
    const place = [attribute.be32(1, hooks[hook]), attribute.be32(2, priority >>> 0)];
    parts.push(attribute.nested(4, place), attribute.be32(5, 1), attribute.string(7, type));
  }
  return message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, parts);
}

/** NFTA_RULE_*: 1 table, 2 chain, and what the rule is. */
function newRule(table: string, chain: string, rule: NftRule): NetlinkMessage {
  const place = [attribute.string(1, table), attribute.string(2, chain)];
  return message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, [...place, ...ruleAttributes(rule)]);
}

/** NFTA_RULE_*: 4 expressions, 7 user data with the comment. */
export function ruleAttributes(rule: NftRule): Uint8Array[] {
  const comment = new TextEncoder().encode(`${rule.reason}\0`);
  const userData = concat([new Uint8Array([UDATA_RULE_COMMENT, comment.length]), comment]);
  return [attribute.nested(4, encodeRule(rule)), attribute.bytes(7, userData)];
}

/** NFTA_SET_ELEM_LIST_*: 1 table, 2 set, 3 elements; NFTA_SET_ELEM_*: 1 key, 2 value. */
export function encodeElements(
  change: "add" | "remove",
  table: string,
  map: Pick<NftMap, "name" | "key" | "value">,
  elements: readonly NftElement[],
): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_MESSAGE) {
    const list = elements.slice(start, start + ELEMENTS_PER_MESSAGE).map((element) => {
      const parts = [dataAttribute(1, concatenation(map.key, element.key))];
      if (change === "add") parts.push(dataAttribute(2, concatenation(map.value, element.value)));
      return attribute.nested(NFTA_LIST_ELEM, parts);
    });
    const type = change === "add" ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
    messages.push(
      message(type, change === "add" ? NLM_F_CREATE : 0, [
        attribute.string(1, table),
        attribute.string(2, map.name),
        attribute.nested(3, list),
      ]),
    );
  }
  return messages;
}

const dataAttribute = (type: number, value: Uint8Array): Uint8Array =>
  attribute.nested(type, [attribute.bytes(NFTA_DATA_VALUE, value)]);

/** Each part begins a register of four bytes and is padded with zeros. */
function concatenation(types: readonly NftType[], values: readonly NftValue[]): Uint8Array {
  const bytes = new Uint8Array(types.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, type] of types.entries()) {
    const value = values[index] ?? 0;
    if (type === "ipv4_addr") view.setUint32(index * 4, parseIPv4(String(value)));
    else if (type === "inet_service") view.setUint16(index * 4, Number(value));
    else view.setUint8(index * 4, protocols[value] ?? 0);
  }
  return bytes;
}
