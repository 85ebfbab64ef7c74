import type { Image } from "../../core/images/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import { parseTimeNs } from "../clock.ts";
import type { Container } from "../containers/container.ts";
import {
  allMatch,
  booleanFilter,
  checkFilterKeys,
  type Filters,
  hasLabel,
  parseUntilNs,
} from "../filters.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";

/** The containers that a prune takes: those without a process. Errors: InvalidParameter for an unknown filter. */
export function prunableContainers(
  containers: readonly Container[],
  filters: Filters,
  nowNs: bigint,
): Container[] {
  checkFilterKeys(filters, ["until", "label", "label!"]);
  const before = untilNs(filters, nowNs);
  return containers.filter(({ isLive, record }) => {
    const { Labels = {} } = mergeImageConfig(record.config, record.imageConfig);
    return !isLive && isOlder(record.createdAt, before) && matchesLabels(filters, Labels ?? {});
  });
}

/**
 * The images that a prune takes: without a tag, or with `dangling=false` any, as long as no container uses them.
 * Errors: InvalidParameter for an unknown filter.
 */
export function prunableImages(
  images: readonly Image[],
  filters: Filters,
  used: ReadonlySet<Digest>,
  nowNs: bigint,
): Image[] {
  checkFilterKeys(filters, ["dangling", "until", "label", "label!"]);
  const onlyDangling = booleanFilter(filters, "dangling") ?? true;
  const before = untilNs(filters, nowNs);
  return images.filter(
    ({ id, tags, config }) =>
      !used.has(id) &&
      (tags.length === 0 || !onlyDangling) &&
      isOlder(config.created, before) &&
      matchesLabels(filters, config.config.Labels ?? {}),
  );
}

/** Whether a prune is asked for a part only, beside the difference between dangling and all images. */
export const isPartial = (filters: Filters): boolean =>
  ["until", "label", "label!"].some((key) => (filters.get(key)?.length ?? 0) > 0);

function untilNs(filters: Filters, nowNs: bigint): bigint | undefined {
  const [until, second] = filters.get("until") ?? [];
  if (second !== undefined) throw invalidParameter("more than one until filter specified");
  return until === undefined ? undefined : parseUntilNs(until, nowNs);
}

/** Something of unknown age is never old enough. */
function isOlder(created: string | undefined, limitNs: bigint | undefined): boolean {
  if (limitNs === undefined) return true;
  const createdNs = parseTimeNs(created ?? "");
  return createdNs !== undefined && createdNs < limitNs;
}

function matchesLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return (
    allMatch(filters, "label", (wanted) => hasLabel(labels, wanted)) &&
    allMatch(filters, "label!", (unwanted) => !hasLabel(labels, unwanted))
  );
}
