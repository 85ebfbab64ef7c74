import type { HistoryEntry, ImageConfigFile } from "../../formats/oci-image.ts";

/** A line of an image's history, or a layer that no line accounts for. */
export interface ImageStep {
  readonly entry: HistoryEntry;
  /** Index of the layer that it made; undefined for an instruction that only changed the config. */
  readonly layer: number | undefined;
}

/** The history of an image beside its layers, base first. A tool that writes no history leaves layers alone. */
export function imageSteps({ history, rootfs }: ImageConfigFile): ImageStep[] {
  let next = 0;
  const steps: ImageStep[] = history.map((entry) => ({
    entry,
    layer: entry.empty_layer === true || next >= rootfs.diff_ids.length ? undefined : next++,
  }));
  while (next < rootfs.diff_ids.length) steps.push({ entry: {}, layer: next++ });
  return steps;
}
