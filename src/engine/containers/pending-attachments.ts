import type { Attach } from "../../shim/contract.ts";
import type { ClientStream } from "./client-stream.ts";

/** A client that waits for its container to start. */
export interface PendingAttachment {
  readonly client: ClientStream;
  /** Connects it to the prepared process; called before the process starts, so that no output is missed. */
  readonly connect: (attach: Attach) => Promise<void>;
}

/** Clients that attached to a container which is not running. */
export class PendingAttachments {
  readonly #waiting = new Set<PendingAttachment>();

  add(attachment: PendingAttachment): void {
    this.#waiting.add(attachment);
    attachment.client.output.once("close", () => this.#waiting.delete(attachment));
  }

  async connectAll(attach: Attach): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(waiting.map((attachment) => attachment.connect(attach)));
  }

  /** The container will not start: the clients get the end of an empty output. */
  endAll(): void {
    for (const { client } of this.#waiting) client.output.end();
    this.#waiting.clear();
  }
}
