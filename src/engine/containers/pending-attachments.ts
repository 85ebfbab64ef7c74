import type { Attach } from "../../shim/contract.ts";
import type { ClientStream } from "./client-stream.ts";

/** A client that waits for its container to start. */
export interface PendingAttachment {
  readonly client: ClientStream;
  /** Whether it would be the process's stdin. */
  readonly stdin: boolean;
  /** Connects it to the prepared process; called before the process starts, so that no output is missed. */
  readonly connect: (attach: Attach) => Promise<void>;
}

/** Clients that attached to a container which is not running. */
export class PendingAttachments {
  readonly #waiting = new Set<PendingAttachment>();
  /** The last one that left with the stdin: a process whose stdin ends with its client has to see that end. */
  #left: PendingAttachment | undefined;

  add(attachment: PendingAttachment): void {
    this.#waiting.add(attachment);
    attachment.client.output.once("close", () => {
      if (this.#waiting.delete(attachment) && attachment.stdin) this.#left = attachment;
    });
  }

  async connectAll(attach: Attach): Promise<void> {
    const waiting = [...this.#waiting, ...(this.#left ? [this.#left] : [])];
    this.#clear();
    await Promise.all(waiting.map((attachment) => attachment.connect(attach)));
  }

  /** The container will not start: the clients get the end of an empty output. */
  endAll(): void {
    for (const { client } of this.#waiting) client.output.end();
    this.#clear();
  }

  #clear(): void {
    this.#waiting.clear();
    this.#left = undefined;
  }
}
