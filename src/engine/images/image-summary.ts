import type { Image } from "../../core/images/contract.ts";
import { parseTimeNs } from "../clock.ts";
import { createdNs } from "./created.ts";
import { familiarDigests, familiarTags } from "./familiar-names.ts";

/** One row of `images`. engine-api.yaml, ImageSummary. */
export function imageSummary(
  image: Image,
  facts: { minor: number; containers: number; sharedBytes: number | undefined },
): object {
  return {
    Containers: facts.minor >= 51 ? facts.containers : -1,
    Created: Number(createdNs(image) / 1_000_000_000n),
    Id: image.id,
    Labels: image.config.config.Labels ?? null,
    ParentId: "",
    RepoDigests: familiarDigests(image),
    RepoTags: familiarTags(image),
    SharedSize: facts.sharedBytes ?? -1,
    Size: image.sizeBytes,
    ...(facts.minor < 44 ? { VirtualSize: image.sizeBytes } : {}),
  };
}

export const unixSeconds = (time: string | undefined): number =>
  Number((parseTimeNs(time ?? "") ?? 0n) / 1_000_000_000n);
