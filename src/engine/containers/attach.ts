import { conflict } from "../../errors/platform-error.ts";
import type { Attach } from "../../shim/contract.ts";
import type { ClientStream } from "./client-stream.ts";
import type { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import { joinStreams } from "./join-streams.ts";

export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: Uint8Array;
}

/** Connects clients to a container's stdio. */
export class Attacher {
  constructor(private readonly events: ContainerEvents) {}

  /** Conflict where attaching makes no sense; asked before the connection is taken over. */
  check(container: Container): void {
    if (container.status === "paused") {
      throw conflict(`container ${container.id} is paused, unpause the container before attach`);
    }
    if (container.status === "removing") throw conflict(`container ${container.id} is being removed`);
  }

  /**
   * Settles once the client is connected, or stands in the queue of a container that is not running: it is connected
   * before the process starts.
   */
  async attach(container: Container, request: AttachRequest, client: ClientStream): Promise<void> {
    this.events.publish(container, "attach");
    if (container.isLive) {
      const { init } = container.liveShim();
      await this.#connect(container, (options) => init.attach(options), request, client);
      return;
    }
    container.attachments.add({
      client,
      stdin: request.stdin,
      connect: (attach) => this.#connect(container, attach, request, client),
    });
  }

  async #connect(
    container: Container,
    attach: Attach,
    request: AttachRequest,
    client: ClientStream,
  ): Promise<void> {
    const { Tty: tty = false, OpenStdin: openStdin = false } = container.record.config;
    const { stdin, stdout, stderr } = request;
    const stream = await attach({ stdin: stdin && openStdin, stdout, stderr, framed: !tty });
    joinStreams(client, stream, {
      stdin: stdin && openStdin,
      detachKeys: tty ? request.detachKeys : undefined,
      onDetach: () => this.events.publish(container, "detach"),
    });
  }
}
