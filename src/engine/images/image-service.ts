import type { Image, ImageStore, ImageUsers, RemovedReference } from "../../core/images/contract.ts";
import { variantFor } from "../../core/images/image-platforms.ts";
import type {
  LoadOptions,
  Progress,
  RegistryCredentials,
  SaveRequest,
  Transfer,
} from "../../core/transfer/contract.ts";
import { conflict } from "../../errors/platform-error.ts";
import type { Digest } from "../../formats/digest.ts";
import type { Platform } from "../../formats/platform.ts";
import {
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../../formats/reference.ts";
import type { ContainerStore } from "../containers/container-store.ts";
import type { Remover } from "../containers/remover.ts";
import type { EventBus } from "../events/event-bus.ts";
import { publishImage } from "./image-event.ts";
import type { ImageMounts } from "./image-mounts.ts";

export interface PullOptions {
  readonly reference: string;
  readonly platform: string | undefined;
  readonly credentials: RegistryCredentials | undefined;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface PushOptions extends Omit<PullOptions, "platform"> {
  readonly platform: Platform | undefined;
}

/** Images as users name them: what changes them, and the events of that. */
export class ImageService {
  constructor(
    readonly store: ImageStore,
    private readonly transfer: () => Promise<Transfer>,
    private readonly containers: ContainerStore,
    private readonly remover: Pick<Remover, "settle">,
    private readonly bus: EventBus,
    private readonly mounts: ImageMounts,
  ) {}

  /** A name alone is all tags of its repository. */
  async pull({ reference, platform, credentials, onProgress, signal }: PullOptions): Promise<void> {
    const transfer = await this.transfer();
    const name = parseReference(reference);
    const request = {
      reference,
      ...(platform === undefined ? {} : { platform }),
      ...(credentials === undefined ? {} : { credentials }),
      onProgress,
      signal,
    };
    if ((name.tag ?? name.digest) === undefined) await transfer.pullAll(request);
    else await transfer.pull(request);
    this.#tellOfName("pull", name);
  }

  async push({ reference, platform, credentials, onProgress, signal }: PushOptions): Promise<void> {
    const transfer = await this.transfer();
    await transfer.push({
      reference,
      ...(platform === undefined ? {} : { platform }),
      ...(credentials === undefined ? {} : { credentials }),
      onProgress,
      signal,
    });
    this.#tellOfName("push", parseReference(reference));
  }

  #tellOfName(action: "pull" | "push", name: Reference): void {
    const image = this.store.find(familiarReference(withDefaultTag(name)));
    publishImage(this.bus, action, image, { id: familiarReference(name), name: familiarName(name) });
  }

  /** Errors: Unauthorized when the registry refuses the credentials. */
  async login(
    domain: string,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const transfer = await this.transfer();
    return await transfer.login(domain, credentials, signal);
  }

  /** An archive of the images, to `write`. Nothing is written when one of them is missing. */
  async save(names: readonly string[], options: Omit<SaveRequest, "names">): Promise<void> {
    const transfer = await this.transfer();
    for (const image of await transfer.save({ names, ...options })) publishImage(this.bus, "save", image);
  }

  async load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<void> {
    const transfer = await this.transfer();
    for (const { image, loaded } of await transfer.load(archive, options)) {
      const what = loaded.startsWith("sha256:") ? "Loaded image ID" : "Loaded image";
      options.onProgress({ stream: `${what}: ${loaded}\n` });
      publishImage(this.bus, "load", image);
    }
  }

  async tag(source: string, reference: string): Promise<void> {
    const image = this.store.resolve(source);
    await this.store.tag(source, reference);
    publishImage(this.bus, "tag", image, {
      name: familiarReference(withDefaultTag(parseReference(reference))),
    });
  }

  /**
   * The same for some platforms of a name, which stays for the others.
   * Errors: NotFound in Docker's words for one that is not on this machine.
   */
  async removePlatforms(
    reference: string,
    platforms: readonly Platform[],
    options: { force: boolean },
  ): Promise<readonly RemovedReference[]> {
    const variants = this.store.variants(reference);
    const only = platforms.map((platform) => variantFor(reference, variants, platform).id);
    return await this.remove(reference, { ...options, only: [...new Set(only)] });
  }

  /**
   * Untags, and deletes what no name is left for. `only`: of the images that the name means.
   * Errors: Docker's conflicts for images that containers use.
   */
  async remove(
    reference: string,
    { force, only }: { force: boolean; only?: readonly Digest[] },
  ): Promise<readonly RemovedReference[]> {
    const image = this.store.resolve(reference);
    const ids = only ?? this.store.variants(reference).map(({ id }) => id);
    // A container that is gone for everybody still stands on a layer until its files are.
    await this.remover.settle(ids);
    const [mounted] = ids.flatMap((id) => this.mounts.pathsOf(id));
    if (mounted !== undefined) {
      throw conflict(
        `conflict: unable to remove ${reference} (cannot be forced) - image is mounted at ${mounted}`,
        {
          hint: "unmount it first with `gantry image unmount`",
          code: "image.in-use",
        },
      );
    }
    const removed = await this.store.remove(reference, { force, only, usedBy: this.#usedBy() });
    for (const { kind, value } of removed) {
      if (kind === "Untagged") publishImage(this.bus, "untag", image);
      // What was deleted with an image are its layers: nobody is told of those.
      else if (ids.some((id) => id === value)) publishImage(this.bus, "delete", undefined, { id: value });
    }
    return removed;
  }

  /** Images whose files are mounted on the host: they are in use, as those of containers are. */
  mountedIds(): Digest[] {
    return this.mounts.list().map(({ imageId }) => imageId);
  }

  /** For the filter `ancestor`: the image that a name stands for, and those made on top of its layers. */
  idsOf(reference: string): Digest[] {
    if (this.store.find(reference) === undefined) return [];
    const ancestors = this.store.variants(reference);
    const tops = ancestors.flatMap(({ chainIds }) => chainIds.at(-1) ?? []);
    const onTop = this.store.list().filter(({ chainIds }) => tops.some((top) => chainIds.includes(top)));
    return [...new Set([...ancestors, ...onTop].map(({ id }) => id))];
  }

  /** Ids of the containers of an image, in any state. */
  containersOf(image: Image): string[] {
    return (this.#usedBy().get(image.id) ?? []).map(({ containerId }) => containerId);
  }

  /** How many containers, in any state, each image has; images without one are left out. */
  containerCounts(): ReadonlyMap<Digest, number> {
    return new Map([...this.#usedBy()].map(([id, users]) => [id, users.length]));
  }

  #usedBy(): ImageUsers {
    const usedBy = new Map<Digest, { containerId: string; running: boolean }[]>();
    for (const { id, record, isLive } of this.containers.list()) {
      const users = usedBy.get(record.imageId) ?? [];
      users.push({ containerId: id, running: isLive });
      usedBy.set(record.imageId, users);
    }
    return usedBy;
  }
}
