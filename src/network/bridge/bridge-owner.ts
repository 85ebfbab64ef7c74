import { join } from "node:path";
import { readRecord } from "../records/network-records.ts";

/** IFALIASZ of the kernel, with its NUL. */
const MAX_ALIAS_BYTES = 255;

export interface BridgeOwner {
  readonly networkId: string;
  /** `--root` of the engine. */
  readonly root: string;
}

/** The alias of a bridge says to which engine it belongs: `gantry NETWORK-ID ROOT`. */
export function formatOwner({ networkId, root }: BridgeOwner): string {
  return `gantry ${networkId} ${root}`.slice(0, MAX_ALIAS_BYTES);
}

/** Undefined for an alias which gantry did not write. */
export function parseOwner(alias: string): BridgeOwner | undefined {
  const [, networkId, root] = /^gantry ([0-9a-f]{64}) (\/.*)$/.exec(alias) ?? [];
  return networkId && root ? { networkId, root } : undefined;
}

/** Whether the engine of this bridge is gone with its data. A shortened path cannot be asked: it counts as used. */
export function isAbandoned(alias: string): boolean {
  const owner = parseOwner(alias);
  if (!owner || alias.length >= MAX_ALIAS_BYTES) return false;
  return readRecord(join(owner.root, "networks", "bridge.json"))?.id !== owner.networkId;
}
