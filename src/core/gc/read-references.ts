import { chainIds } from "../../formats/chain-id.ts";
import { isDigest } from "../../formats/digest.ts";
import type { ContentStore } from "../content/contract.ts";
import type { Resource } from "../leases/leases.ts";
import type { Snapshotter } from "../snapshots/contract.ts";

/** Documents are small; a larger blob is a layer. */
const maxDocumentBytes = 8 << 20;

export interface ReferenceSources {
  readonly content: Pick<ContentStore, "size" | "read">;
  readonly snapshots: Pick<Snapshotter, "layer" | "parent">;
}

/**
 * What a resource refers to: an index to its manifests, a manifest to config and layers, a config to the unpacked
 * layers of its chain, a layer to the one below, a writable top to the layer that it stands on. Read leniently: also a
 * document that nobody could use any more keeps what it names. A resource that is not there refers to nothing.
 */
export async function readReferences(
  { content, snapshots }: ReferenceSources,
  { kind, name }: Resource,
): Promise<Resource[]> {
  if (kind === "snapshot") return layers([snapshots.parent(name)]);
  if (!isDigest(name)) return [];
  if (kind === "layer") return layers([snapshots.layer(name)?.parent]);
  const size = content.size(name);
  if (size === undefined || size > maxDocumentBytes) return [];
  return documentReferences(await content.read(name));
}

/** Of an index, a manifest or an image config; nothing for all other bytes. */
export function documentReferences(bytes: Uint8Array): Resource[] {
  const document = parseObject(bytes);
  const blobs = [
    ...elements(document.manifests).map((entry) => entry.digest),
    objectOf(document.config).digest,
    ...elements(document.layers).map((entry) => entry.digest),
  ].filter(isDigestText);
  const diffIds = elementsOf(objectOf(document.rootfs).diff_ids).filter(isDigestText);
  return [...blobs.map((name) => ({ kind: "blob", name }) as const), ...layers(chainIds(diffIds))];
}

const layers = (chain: readonly (string | undefined)[]): Resource[] =>
  chain.flatMap((name) => (name === undefined ? [] : [{ kind: "layer", name } as const]));

const isDigestText = (value: unknown) => typeof value === "string" && isDigest(value);

type Fields = Readonly<Record<string, unknown>>;

function parseObject(bytes: Uint8Array): Fields {
  if (bytes[0] !== 0x7b) return {}; // "{": no layer begins with it
  try {
    return objectOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}

const objectOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? { ...value } : {};

const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const elements = (value: unknown): readonly Fields[] => elementsOf(value).map(objectOf);
