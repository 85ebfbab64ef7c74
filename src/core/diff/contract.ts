import type { Digest } from "../content/contract.ts";

/** How a new layer is stored. */
export type LayerCompression = "gzip" | "zstd";

/** A layer as a file that is complete, but has no name in the content store yet. */
export interface PackedLayer {
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  /** Of the file. */
  readonly digest: Digest;
  readonly size: number;
  readonly compression: LayerCompression;
}
