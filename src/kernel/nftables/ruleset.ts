/**
 * A table of nf_tables as data: what a planner makes, `format-table.ts` prints in nft's own syntax, and
 * `encode-table.ts` turns into netlink messages. Family `ip` only.
 */
export interface NftTable {
  readonly name: string;
  readonly maps: readonly NftMap[];
  readonly chains: readonly NftChain[];
}

/** nft's data types, each one register of 32 bits in a concatenation. */
export type NftType = "ipv4_addr" | "inet_proto" | "inet_service";

/** Dotted address, `tcp` or `udp`, port: in the order of the types. */
export type NftValue = string | number;

/** A map from a concatenated key to a concatenated value. */
export interface NftMap {
  readonly name: string;
  readonly key: readonly NftType[];
  readonly value: readonly NftType[];
  readonly elements: readonly NftElement[];
}

export interface NftElement {
  readonly key: readonly NftValue[];
  readonly value: readonly NftValue[];
}

export interface NftChain {
  readonly name: string;
  /** Where the kernel calls it; without it the chain is only jumped to. */
  readonly base?: {
    readonly type: "nat" | "filter";
    readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
    /** -300 raw, -100 dstnat, 0 filter, 100 srcnat. */
    readonly priority: number;
  };
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  readonly matches: readonly NftMatch[];
  readonly verdict: NftVerdict;
  /** Why it is there; the kernel keeps it as the rule's comment (at most 127 bytes). */
  readonly reason: string;
}

export type NftMatch =
  | { readonly field: "iifname" | "oifname"; readonly op: "==" | "!="; readonly value: string }
  /** `value` is a subnet `172.17.0.0/16`. */
  | { readonly field: "ip saddr" | "ip daddr"; readonly op: "==" | "!="; readonly value: string }
  /** One of the words at least. */
  | { readonly field: "ct state"; readonly words: readonly ("established" | "related")[] }
  | { readonly field: "ct status"; readonly words: readonly "dnat"[] }
  | { readonly field: "fib daddr type"; readonly value: "local" };

/** What a key of a map lookup is made of. */
export type NftKeyField = "ip daddr" | "meta l4proto" | "th dport";

export type NftVerdict =
  | { readonly verb: "accept" | "drop" | "return" | "masquerade" }
  | { readonly verb: "jump"; readonly chain: string }
  /** The map's value is `ipv4_addr . inet_service`; without an element the next rule follows. */
  | { readonly verb: "dnat"; readonly map: string; readonly key: readonly NftKeyField[] };
