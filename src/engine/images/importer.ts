import type { ImageMaker } from "../../core/diff/image-maker.ts";
import type { Image } from "../../core/images/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import { applyInstructions } from "../../formats/dockerfile/apply-instruction.ts";
import { parseChanges } from "../../formats/dockerfile/parse-changes.ts";
import type { Platform } from "../../formats/platform.ts";
import { familiarReference, type Reference } from "../../formats/reference.ts";
import { formatTimeNs, nowNs } from "../clock.ts";
import { parseSignal } from "../containers/signals.ts";
import type { EventBus } from "../events/event-bus.ts";
import { imageConfigOf } from "./image-config-of.ts";
import { publishImage } from "./image-event.ts";

export interface ImportOptions {
  /** A tar, plain or compressed with gzip or zstd. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** With tag. */
  readonly reference: Reference | undefined;
  readonly message: string;
  readonly platform: Platform;
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
  readonly signal: AbortSignal;
}

/** Makes images of one layer from archives of files. */
export class Importer {
  constructor(
    private readonly maker: () => Promise<ImageMaker>,
    private readonly bus: EventBus,
  ) {}

  /** Errors: InvalidParameter for a change that is none, another system than Linux, and what is no tar. */
  async import({ archive, reference, message, platform, changes, signal }: ImportOptions): Promise<Image> {
    if (platform.os !== "linux") throw invalidParameter(`operating system is not supported: ${platform.os}`);
    const config = applyInstructions({}, parseChanges(changes));
    if (config.StopSignal) parseSignal(config.StopSignal);
    const maker = await this.maker();
    const image = await maker.import({
      archive,
      platform,
      config: imageConfigOf(config),
      history: { created: formatTimeNs(nowNs()), ...(message === "" ? {} : { comment: message }) },
      reference: reference && familiarReference(reference),
      signal,
    });
    if (reference !== undefined) publishImage(this.bus, "tag", image, { name: familiarReference(reference) });
    publishImage(this.bus, "import", image);
    return image;
  }
}
