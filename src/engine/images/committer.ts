import { fileError } from "../../core/content/file-error.ts";
import type { ImageMaker } from "../../core/diff/image-maker.ts";
import type { Image, ImageStore } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { conflict } from "../../errors/platform-error.ts";
import { applyInstructions } from "../../formats/dockerfile/apply-instruction.ts";
import { parseChanges } from "../../formats/dockerfile/parse-changes.ts";
import { familiarReference, type Reference } from "../../formats/reference.ts";
import { formatTimeNs, nowNs } from "../clock.ts";
import type { Container } from "../containers/container.ts";
import { engineMountPoints } from "../containers/container-changes.ts";
import type { ContainerEvents } from "../containers/container-events.ts";
import type { Pauser } from "../containers/pauser.ts";
import { parseSignal } from "../containers/signals.ts";
import type { EventBus } from "../events/event-bus.ts";
import type { ContainerConfig } from "../spec/docker-config.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import { imageConfigOf } from "./image-config-of.ts";
import { publishImage } from "./image-event.ts";

export interface CommitOptions {
  /** With tag. */
  readonly reference: Reference | undefined;
  readonly author: string;
  readonly comment: string;
  /** Whether a running container stands still while its files are copied. */
  readonly pause: boolean;
  /** Instead of the container's own configuration. */
  readonly config: ContainerConfig | undefined;
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
  readonly signal: AbortSignal;
}

/** Makes images from containers. */
export class Committer {
  constructor(
    private readonly maker: () => Promise<ImageMaker>,
    private readonly images: ImageStore,
    private readonly snapshots: Snapshotter,
    private readonly pauser: Pauser,
    private readonly events: ContainerEvents,
    private readonly bus: EventBus,
  ) {}

  /**
   * Errors: NotFound when the container's image is gone; InvalidParameter for a change that is none; Conflict for a
   * container that is removed meanwhile.
   */
  async commit(container: Container, options: CommitOptions): Promise<Image> {
    checkIsKept(container);
    const { record } = container;
    const own = mergeImageConfig(record.config, record.imageConfig);
    const config = committedConfig(own, options);
    const parent = this.images.resolve(record.imageId);
    const maker = await this.maker();
    const { author, comment, reference, signal } = options;
    await using stand = await this.#standStill(container, options.pause);
    const image = await maker
      .commit({
        parent,
        name: `of container ${record.name}`,
        root: this.snapshots.describe(container.id),
        skipped: engineMountPoints(record.hostConfig).map((path) => path.slice(1)),
        onCaptured: async () => {
          await stand[Symbol.asyncDispose]();
          checkIsKept(container);
        },
        config,
        history: {
          created: formatTimeNs(nowNs()),
          ...(author === "" ? {} : { author }),
          created_by: (own.Cmd ?? []).join(" "),
          ...(comment === "" ? {} : { comment }),
        },
        reference: reference && familiarReference(reference),
        signal,
      })
      .catch((error) => {
        throw fileError(error, `commit container ${record.name}`);
      });
    const imageRef = reference === undefined ? "" : familiarReference(reference);
    if (reference !== undefined) publishImage(this.bus, "tag", image, { name: imageRef });
    this.events.publish(container, "commit", { comment, imageID: image.id, imageRef });
    return image;
  }

  /** Until it is disposed, the first time; a container that does not run stands still already. */
  async #standStill(container: Container, isWanted: boolean): Promise<AsyncDisposable> {
    let isHeld = isWanted && container.status === "running";
    if (isHeld) await this.pauser.pause(container, { isPassing: true });
    return {
      [Symbol.asyncDispose]: async () => {
        if (!isHeld) return;
        isHeld = false;
        // It may have been killed, or let go on by somebody else.
        if (container.status === "paused") await this.pauser.unpause(container);
      },
    };
  }
}

function checkIsKept(container: Container): void {
  if (container.status === "removing")
    throw conflict(`You cannot commit container ${container.id} which is being removed`);
}

/** The container's configuration fills what the client left open. */
function committedConfig(own: ContainerConfig, { config, changes }: CommitOptions) {
  const changed = applyInstructions(imageConfigOf(config ?? own), parseChanges(changes));
  if (changed.StopSignal) parseSignal(changed.StopSignal);
  const { OnBuild, ...merged } = mergeImageConfig(changed, imageConfigOf(own));
  const triggers = changed.OnBuild ?? OnBuild;
  return imageConfigOf({ ...merged, ...(triggers === undefined ? {} : { OnBuild: triggers }) });
}
