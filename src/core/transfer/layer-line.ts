import { type Digest, shortDigest } from "../../formats/digest.ts";
import type { Progress } from "./contract.ts";
import { Throttle } from "./throttle.ts";

/** What happens to one layer, in this order; all but the last can be missing. */
export interface LayerLine {
  begin(): void;
  waiting(): void;
  alreadyExists(): void;
  downloading(currentBytes: number): void;
  /** The download broke off and goes on after so many seconds. */
  retrying(seconds: number): void;
  verifying(): void;
  downloaded(): void;
  /** Bytes of the blob that were unpacked. */
  extracting(currentBytes: number): void;
  complete(): void;
}

/** The line of a layer in Docker's progress stream of a pull: texts and order are those of its engine. */
export class PullLine implements LayerLine {
  private readonly id: string;
  private readonly throttle: Throttle;
  private isDownloaded = false;

  constructor(
    layer: Digest,
    private readonly totalBytes: number,
    private readonly emit: (progress: Progress) => void,
    nowMs?: () => number,
  ) {
    this.id = shortDigest(layer);
    this.throttle = new Throttle(nowMs);
  }

  begin(): void {
    this.say("Pulling fs layer");
  }
  waiting(): void {
    this.say("Waiting");
  }
  alreadyExists(): void {
    this.say("Already exists");
  }
  downloading(currentBytes: number): void {
    if (this.throttle.isDue()) this.count("Downloading", currentBytes);
  }
  retrying(seconds: number): void {
    this.throttle.reset();
    this.say(`Retrying in ${seconds} second${seconds === 1 ? "" : "s"}`);
  }
  verifying(): void {
    this.say("Verifying Checksum");
  }
  downloaded(): void {
    this.isDownloaded = true;
    this.throttle.reset();
    this.say("Download complete");
  }
  /** Said only after the download, although it begins before. */
  extracting(currentBytes: number): void {
    if (this.isDownloaded && (currentBytes === this.totalBytes || this.throttle.isDue())) {
      this.count("Extracting", currentBytes);
    }
  }
  complete(): void {
    this.say("Pull complete");
  }

  private say(status: string): void {
    this.emit({ status, progressDetail: {}, id: this.id });
  }

  private count(status: string, current: number): void {
    this.emit({ status, progressDetail: { current, total: this.totalBytes }, id: this.id });
  }
}

/** The same for a load, where there is only one text. */
export class LoadLine implements LayerLine {
  private readonly throttle = new Throttle();

  constructor(
    private readonly diffId: Digest,
    private readonly totalBytes: number,
    private readonly emit: (progress: Progress) => void,
  ) {}

  begin(): void {}
  waiting(): void {}
  alreadyExists(): void {}
  downloading(): void {}
  retrying(): void {}
  verifying(): void {}
  downloaded(): void {}
  extracting(currentBytes: number): void {
    if (this.throttle.isDue()) this.say(currentBytes);
  }
  complete(): void {
    this.say(this.totalBytes);
  }

  private say(current: number): void {
    const progressDetail = { current, total: this.totalBytes };
    this.emit({ status: "Loading layer", progressDetail, id: shortDigest(this.diffId) });
  }
}
