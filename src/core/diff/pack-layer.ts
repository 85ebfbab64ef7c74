import { createDigester, type Digester } from "../../formats/digest.ts";
import { writeTar } from "../../formats/tar/tar-writer.ts";
import type { WhiteoutForm } from "../unpack/whiteout.ts";
import { writeBlobFile } from "./blob-file.ts";
import { compress } from "./compress.ts";
import type { LayerCompression, PackedLayer } from "./contract.ts";
import { layerEntries } from "./layer-entries.ts";

export interface LayerToPack {
  /** Unpacked, with nothing that is no part of the layer. */
  readonly directory: string;
  readonly whiteouts: WhiteoutForm;
  /** A new file. */
  readonly path: string;
  readonly compression: LayerCompression;
}

/** Packs an unpacked layer: tar, both digests and compression while it is read once. For a Worker. */
export async function packLayer(
  { directory, whiteouts, path, compression }: LayerToPack,
  signal: AbortSignal,
): Promise<PackedLayer> {
  const digester = createDigester();
  const entries = layerEntries(
    { upper: directory, lower: undefined, form: whiteouts, skipped: new Set() },
    signal,
  );
  const blob = await writeBlobFile(path, compress(hashed(writeTar(entries), digester), compression));
  return { ...blob, compression, diffId: digester.digest() };
}

/** Passes on what it hashes. */
export async function* hashed(
  source: AsyncIterable<Uint8Array>,
  digester: Digester,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    digester.update(piece);
    yield piece;
  }
}
