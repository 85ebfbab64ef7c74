import { isDigest } from "../../formats/digest.ts";
import type { CommittedLayer } from "./contract.ts";

/** `layer.json` beside the files of a layer: what the memory index is made of. */
export interface LayerSidecar extends CommittedLayer {
  /** The layer hides everything below it (an opaque whiteout in its root, or a whole tree). */
  readonly opaqueRoot: boolean;
  /**
   * The boot of the machine during which the files were written, until they are known to be on disk. Under another
   * boot such a layer may have lost bytes.
   */
  readonly unsyncedBoot: string | undefined;
}

const version = 1;

export function formatLayerSidecar(sidecar: LayerSidecar): string {
  return `${JSON.stringify({ version, ...sidecar }, undefined, 2)}\n`;
}

/** Undefined for anything that is not a whole sidecar. */
export function parseLayerSidecar(text: string): LayerSidecar | undefined {
  const json = parseObject(text);
  if (json?.version !== version) return undefined;
  const { chainId, diffId, parent, sizeBytes, opaqueRoot, unsyncedBoot } = json;
  if (!isDigestText(chainId) || !isDigestText(diffId)) return undefined;
  if (parent !== undefined && !isDigestText(parent)) return undefined;
  if (typeof sizeBytes !== "number" || typeof opaqueRoot !== "boolean") return undefined;
  if (unsyncedBoot !== undefined && typeof unsyncedBoot !== "string") return undefined;
  return { chainId, diffId, parent, sizeBytes, opaqueRoot, unsyncedBoot };
}

const isDigestText = (value: unknown) => typeof value === "string" && isDigest(value);

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
