import type { Image } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { Digest } from "../../formats/digest.ts";
import { familiar } from "./familiar-names.ts";
import { unixSeconds } from "./image-summary.ts";

/** One line for each instruction, newest first. engine-api.yaml, ImageHistoryResponseItem. */
export function imageHistory(image: Image, snapshots: Snapshotter): object[] {
  const layers = [...image.chainIds];
  const lines = image.config.history.map((entry) => ({
    Id: "<missing>",
    Created: unixSeconds(entry.created),
    CreatedBy: entry.created_by ?? "",
    Tags: null as string[] | null,
    Size: entry.empty_layer === true ? 0 : layerSize(snapshots, layers.shift()),
    Comment: entry.comment ?? "",
  }));
  // Layers that no line of the history accounts for: an image made by a tool that writes none.
  for (const layer of layers) {
    const Size = layerSize(snapshots, layer);
    lines.push({ Id: "<missing>", Created: 0, CreatedBy: "", Tags: null, Size, Comment: "" });
  }
  const newest = lines.at(-1);
  if (newest)
    Object.assign(newest, { Id: image.id, Tags: image.tags.length > 0 ? image.tags.map(familiar) : null });
  return lines.reverse();
}

const layerSize = (snapshots: Snapshotter, chainId: Digest | undefined): number =>
  chainId === undefined ? 0 : (snapshots.layer(chainId)?.sizeBytes ?? 0);
