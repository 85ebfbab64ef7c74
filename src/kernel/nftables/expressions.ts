import { attribute } from "../netlink/attributes.ts";
import { maskOf, parseSubnet } from "../netlink/ipv4.ts";
import type { NftKeyField, NftMatch, NftRule, NftVerdict } from "./ruleset.ts";

/**
 * Rules as the kernel's expressions: small programs over registers (linux/netfilter/nf_tables.h). Registers of
 * 32 bits start at 8; a longer value takes the following ones too, and a concatenation is one value.
 */
const FIRST_REGISTER = 8;
const VERDICT_REGISTER = 0;

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
const NF_DROP = 0;
const NF_ACCEPT = 1;
const NFT_JUMP = -3;
const NFT_RETURN = -5;

const IFNAME_BYTES = 16;
const RTN_LOCAL = 2;
const ctBits = { established: 2, related: 4, dnat: 0x20 } as const;

/** The expressions of a rule, each encoded as an element of NFTA_RULE_EXPRESSIONS. */
export function encodeRule(rule: NftRule): Uint8Array[] {
  return [...rule.matches.flatMap(encodeMatch), ...encodeVerdict(rule.verdict)];
}

function expression(name: string, data: readonly Uint8Array[]): Uint8Array {
  return attribute.nested(NFTA_LIST_ELEM, [
    attribute.string(NFTA_EXPR_NAME, name),
    attribute.nested(NFTA_EXPR_DATA, data),
  ]);
}

/** NFTA_META_*: 6 input interface's name, 7 output interface's, 16 transport protocol. */
const loadMeta = (key: 6 | 7 | 16, register = FIRST_REGISTER) =>
  expression("meta", [attribute.be32(1, register), attribute.be32(2, key)]);

/** NFTA_PAYLOAD_*: base 1 is the network header, 2 the transport header. */
const loadPayload = (base: 1 | 2, offset: number, length: number, register = FIRST_REGISTER) =>
  expression("payload", [
    attribute.be32(1, register),
    attribute.be32(2, base),
    attribute.be32(3, offset),
    attribute.be32(4, length),
  ]);

/** NFTA_CT_*: key 0 is the state, 2 the status. */
const loadConntrack = (key: 0 | 2) =>
  expression("ct", [attribute.be32(1, FIRST_REGISTER), attribute.be32(2, key)]);

/** NFTA_FIB_*: the type of the destination address. */
const loadDestinationType = () =>
  expression("fib", [attribute.be32(1, FIRST_REGISTER), attribute.be32(2, 3), attribute.be32(3, 1 << 1)]);

/** NFTA_CMP_*: 0 equal, 1 not equal. */
const compare = (op: "==" | "!=", value: Uint8Array) =>
  expression("cmp", [
    attribute.be32(1, FIRST_REGISTER),
    attribute.be32(2, op === "==" ? 0 : 1),
    attribute.nested(3, [attribute.bytes(NFTA_DATA_VALUE, value)]),
  ]);

/** NFTA_BITWISE_*: register & mask. */
const mask = (bits: Uint8Array) =>
  expression("bitwise", [
    attribute.be32(1, FIRST_REGISTER),
    attribute.be32(2, FIRST_REGISTER),
    attribute.be32(3, bits.length),
    attribute.nested(4, [attribute.bytes(NFTA_DATA_VALUE, bits)]),
    attribute.nested(5, [attribute.bytes(NFTA_DATA_VALUE, new Uint8Array(bits.length))]),
  ]);

function encodeMatch(match: NftMatch): Uint8Array[] {
  switch (match.field) {
    case "iifname":
    case "oifname":
      return [loadMeta(match.field === "iifname" ? 6 : 7), compare(match.op, interfaceName(match.value))];
    case "ip saddr":
    case "ip daddr":
      return encodeSubnetMatch(match);
    case "ct state":
    case "ct status":
      return encodeConntrackMatch(match);
    case "fib daddr type":
      return [loadDestinationType(), compare("==", hostOrder(RTN_LOCAL))];
  }
}

function encodeSubnetMatch(match: { field: string; op: "==" | "!="; value: string }): Uint8Array[] {
  const subnet = parseSubnet(match.value);
  const load = loadPayload(1, match.field === "ip saddr" ? 12 : 16, 4);
  const masked = subnet.prefixLength === 32 ? [] : [mask(networkOrder(maskOf(subnet.prefixLength)))];
  return [load, ...masked, compare(match.op, networkOrder(subnet.address))];
}

function encodeConntrackMatch(match: {
  field: "ct state" | "ct status";
  words: readonly (keyof typeof ctBits)[];
}): Uint8Array[] {
  const bits = match.words.reduce((sum, word) => sum | ctBits[word], 0);
  const load = loadConntrack(match.field === "ct state" ? 0 : 2);
  return [load, mask(hostOrder(bits)), compare("!=", hostOrder(0))];
}

function encodeVerdict(verdict: NftVerdict): Uint8Array[] {
  switch (verdict.verb) {
    case "accept":
      return [immediate(NF_ACCEPT)];
    case "drop":
      return [immediate(NF_DROP)];
    case "return":
      return [immediate(NFT_RETURN)];
    case "jump":
      return [immediate(NFT_JUMP, verdict.chain)];
    case "masquerade":
      return [expression("masq", [])];
    case "dnat":
      return encodeDnat(verdict.map, verdict.key);
  }
}

/** NFTA_IMMEDIATE_*: a verdict. */
function immediate(code: number, chain?: string): Uint8Array {
  const parts = [attribute.be32(NFTA_VERDICT_CODE, code >>> 0)];
  if (chain !== undefined) parts.push(attribute.string(NFTA_VERDICT_CHAIN, chain));
  return expression("immediate", [
    attribute.be32(1, VERDICT_REGISTER),
    attribute.nested(2, [attribute.nested(NFTA_DATA_VERDICT, parts)]),
  ]);
}

/** Key into registers, NFTA_LOOKUP_* (1 set, 2 source, 3 destination), NFTA_NAT_* (type 1, IPv4 2). */
function encodeDnat(map: string, key: readonly NftKeyField[]): Uint8Array[] {
  const lookup = expression("lookup", [
    attribute.string(1, map),
    attribute.be32(2, FIRST_REGISTER),
    attribute.be32(3, FIRST_REGISTER),
  ]);
  const nat = expression("nat", [
    attribute.be32(1, 1),
    attribute.be32(2, 2),
    attribute.be32(3, FIRST_REGISTER), // address
    attribute.be32(5, FIRST_REGISTER + 1), // port
  ]);
  return [...key.map((field, index) => loadKey(field, FIRST_REGISTER + index)), lookup, nat];
}

function loadKey(field: NftKeyField, register: number): Uint8Array {
  switch (field) {
    case "ip daddr":
      return loadPayload(1, 16, 4, register);
    case "meta l4proto":
      return loadMeta(16, register);
    case "th dport":
      return loadPayload(2, 2, 2, register);
  }
}

function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(IFNAME_BYTES);
  new TextEncoder().encodeInto(name, bytes);
  return bytes;
}

function networkOrder(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function hostOrder(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
