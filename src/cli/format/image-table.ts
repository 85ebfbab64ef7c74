import { humanDurationUntil } from "./human.ts";
import { type ImageRowOptions, type ImageSummary, imageRows, splitImages } from "./image-row.ts";
import { plainTable } from "./rows.ts";

interface KeptTable {
  readonly options: ImageRowOptions;
  readonly text: string;
  /** When the first of its times reads differently. */
  readonly untilMs: number;
}

/**
 * By the list itself: the engine hands the same one to each command that it runs, as long as no image has changed. Most
 * of the work on a long list is its text.
 */
const known = new WeakMap<readonly ImageSummary[], KeptTable>();

/** The plain table of `images`. `images` is not changed any more. Ends with a newline. */
export function imageTable(images: readonly ImageSummary[], options: ImageRowOptions): string {
  const kept = known.get(images);
  if (kept !== undefined && stillReads(kept, options)) return kept.text;
  const text = plainTable(imageRows(options), splitImages(images, options.digest));
  known.set(images, { options, text, untilMs: validUntilMs(images, options.nowMs) });
  return text;
}

const stillReads = ({ options, untilMs }: KeptTable, { truncate, digest, nowMs }: ImageRowOptions): boolean =>
  options.truncate === truncate && options.digest === digest && options.nowMs <= nowMs && nowMs < untilMs;

const validUntilMs = (images: readonly ImageSummary[], nowMs: number): number =>
  images.reduce(
    (untilMs, { Created }) =>
      Math.min(untilMs, (Created + humanDurationUntil(nowMs / 1000 - Created)) * 1000),
    Number.POSITIVE_INFINITY,
  );
