import type { CapturedLayer, LayerCapture } from "./capture-layer.ts";
import type { PackedLayer } from "./contract.ts";
import type { ArchiveToPack } from "./pack-archive.ts";
import type { LayerToPack } from "./pack-layer.ts";

/** Makes layers off the event loop; unpack's WorkerPool does it. Nothing is touched any more when a call has settled. */
export interface LayerPacker {
  /** See captureLayer. */
  capture(capture: Omit<LayerCapture, "limits">, signal: AbortSignal): Promise<CapturedLayer>;
  /** See packLayer. */
  pack(layer: LayerToPack, signal: AbortSignal): Promise<PackedLayer>;
  /** See packArchive. */
  packArchive(
    archive: Omit<ArchiveToPack, "limits">,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<PackedLayer>;
}
