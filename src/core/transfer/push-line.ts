import { type Digest, shortDigest } from "../../formats/digest.ts";
import type { BlobOutcome, Progress } from "./contract.ts";
import { Throttle } from "./throttle.ts";

/** The line of a layer in Docker's progress stream of a push. */
export class PushLine {
  private readonly throttle = new Throttle();

  constructor(
    private readonly diffId: Digest,
    private readonly totalBytes: number,
    private readonly emit: (progress: Progress) => void,
  ) {}

  preparing(): void {
    this.say("Preparing");
  }
  waiting(): void {
    this.say("Waiting");
  }
  pushing(current: number): void {
    if (!this.throttle.isDue()) return;
    const progressDetail = { current, total: this.totalBytes };
    this.emit({ status: "Pushing", progressDetail, id: shortDigest(this.diffId) });
  }
  retrying(seconds: number): void {
    this.throttle.reset();
    this.say(`Retrying in ${seconds} second${seconds === 1 ? "" : "s"}`);
  }
  skippedForeign(): void {
    this.say("Skipped foreign layer");
  }
  done(outcome: BlobOutcome): void {
    if (outcome.kind === "uploaded") this.say("Pushed");
    else if (outcome.kind === "present") this.say("Layer already exists");
    else this.say(`Mounted from ${outcome.from}`);
  }

  private say(status: string): void {
    this.emit({ status, progressDetail: {}, id: shortDigest(this.diffId) });
  }
}
