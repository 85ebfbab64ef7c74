import { invalidParameter, messageOf, notFound } from "../../errors/platform-error.ts";
import { digestOf } from "../../formats/digest.ts";
import { formatPlatform, type Platform, parsePlatform } from "../../formats/platform.ts";
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
  withTag,
} from "../../formats/reference.ts";
import type { Log } from "../../log/log.ts";
import type { Descriptor } from "../content/contract.ts";
import type { Image } from "../images/contract.ts";
import { ImagePlatforms } from "../images/image-platforms.ts";
import type { Lease, Leases } from "../leases/leases.ts";
import { saveImages } from "./archive/save-images.ts";
import { type SavedImage, selectImages } from "./archive/select-images.ts";
import type {
  LoadOptions,
  Progress,
  PullRequest,
  PushRequest,
  Registries,
  RegistryCredentials,
  SaveRequest,
  Transfer,
} from "./contract.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { isResumable } from "./fetch-layer.ts";
import { type LoadServices, loadArchive } from "./load-archive.ts";
import { mountSources } from "./mount-sources.ts";
import { type PullServices, pullImage, pullStatus } from "./pull-image.ts";
import { type ImagePush, type PushServices, pushImage, pushIndex } from "./push-image.ts";
import { SharedWork } from "./shared-work.ts";

export interface ImageTransferOptions extends PullServices, PushServices, LoadServices {
  readonly registries: Registries;
  readonly leases: Leases;
  /** For which images are chosen by default. */
  readonly platform: Platform;
  readonly log: Log;
}

type PullResult = { image: Image; changed: boolean };

/** Moves images in and out: whatever comes in is registered only when it is whole. */
export class ImageTransfer implements Transfer {
  private readonly pulls = new SharedWork<PullResult>();

  private readonly platforms: ImagePlatforms;

  constructor(private readonly options: ImageTransferOptions) {
    this.platforms = new ImagePlatforms(options.images, options.content);
  }

  async pull(request: PullRequest): Promise<PullResult> {
    const reference = withDefaultTag(parseReference(request.reference));
    const wanted = request.platform ? parsePlatform(request.platform, this.options.platform) : undefined;
    const platform = wanted ?? this.options.platform;
    const key = JSON.stringify([
      canonicalReference(reference),
      wanted ? formatPlatform(wanted) : "",
      // Who may not see an image must not get it through another one's pull.
      request.credentials ? digestOf(JSON.stringify(request.credentials)) : "",
    ]);
    return await this.pulls.join(key, request, (shared) =>
      this.holding(`pull of ${familiarReference(reference)}`, (lease) =>
        pullImage(this.options, {
          reference,
          remote: this.options.registries.repository(reference, request.credentials),
          platform,
          isPlatformWanted: wanted !== undefined,
          lease,
          ...shared,
        }),
      ).catch((error) => {
        this.options.log.info("transfer.pull-failed", {
          repository: repositoryName(reference),
          error: messageOf(error),
        });
        throw error;
      }),
    );
  }

  async pullAll(request: PullRequest): Promise<void> {
    const repository = parseReference(request.reference);
    const remote = this.options.registries.repository(repository, request.credentials);
    let changed = false;
    // Docker says once for all of them whether something is new.
    const onProgress = (line: Progress) => {
      if (!line.status?.startsWith("Status: ")) request.onProgress(line);
    };
    for (const tag of await remote.tags(request.signal)) {
      const reference = canonicalReference(withTag(repository, tag));
      const pulled = await this.pull({ ...request, reference, onProgress });
      changed ||= pulled.changed;
    }
    request.onProgress(pullStatus(changed, familiarName(repository)));
  }

  load(
    archive: AsyncIterable<Uint8Array>,
    options: LoadOptions,
  ): Promise<{ image: Image; loaded: string }[]> {
    return this.holding("load", (lease) => loadArchive(this.options, { archive, lease, ...options }));
  }

  async push(request: PushRequest): Promise<void> {
    const reference = parseReference(request.reference);
    if (reference.digest !== undefined) {
      throw invalidParameter("cannot push a digest reference", {
        code: "reference.digest",
        hint: "tag the image, and push the tag",
      });
    }
    request.onProgress({ status: `The push refers to repository [${repositoryName(reference)}]` });
    for (const tagged of this.pushedTags(reference)) {
      await this.holding(`push of ${familiarReference(tagged)}`, (lease) =>
        this.pushTag(tagged, request, lease),
      );
    }
  }

  private async pushTag(reference: Reference, request: PushRequest, lease: Lease): Promise<void> {
    const name = canonicalReference(reference);
    const { index, manifests } = await this.platforms.manifests(name);
    const variants = manifests.flatMap(({ image }) => image ?? []);
    if (request.platform === undefined && index && variants.length === manifests.length) {
      const pushes = variants.map((image) => this.imagePush(reference, image, request, lease));
      return await pushIndex(this.options, index, pushes);
    }
    const image = await this.platforms.choose(name, request.platform);
    await pushImage(this.options, this.imagePush(reference, image, request, lease));
  }

  private imagePush(reference: Reference, image: Image, request: PushRequest, lease: Lease): ImagePush {
    const { images, registries } = this.options;
    const sources = mountSources(images, image, reference);
    return {
      reference,
      image,
      isPlatformWanted: request.platform !== undefined,
      sources,
      uploads: registries.uploads(reference, request.credentials, sources.paths),
      fetch: this.fetching(request.signal, reference.domain, request.credentials),
      lease,
      onProgress: request.onProgress,
      signal: request.signal,
    };
  }

  /** Credentials go to the registry that they are for. */
  private fetching(signal: AbortSignal, domain?: string, credentials?: RegistryCredentials) {
    const credentialsOf = (other: Reference) => (other.domain === domain ? credentials : undefined);
    return (image: Image, layer: Descriptor) =>
      fetchBlob({ ...this.options, credentialsOf, signal }, image, layer);
  }

  /** Errors: NotFound in Docker's words. */
  private pushedTags(reference: Reference): Reference[] {
    const repository = repositoryName(reference);
    const tags = this.options.images.list().flatMap((image) => image.tags);
    const known = [...new Set(tags)]
      .map(parseReference)
      .filter((tagged) => repositoryName(tagged) === repository);
    if (known.length === 0) {
      throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`, {
        code: "image.missing",
      });
    }
    const wanted = known.filter(({ tag }) => reference.tag === undefined || tag === reference.tag);
    if (wanted.length === 0) {
      throw notFound(`tag does not exist: ${familiarReference(reference)}`, { code: "image.missing" });
    }
    return wanted.sort((a, b) => (canonicalReference(a) < canonicalReference(b) ? -1 : 1));
  }

  login(domain: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<string | undefined> {
    return this.options.registries.login(domain, credentials, signal);
  }

  async save({ names, platforms, write, signal }: SaveRequest): Promise<readonly Image[]> {
    const saved = await this.savedImages(names, platforms);
    await this.holding("save", (lease) =>
      saveImages(this.options, { saved, lease, fetch: this.fetching(signal), write, signal }),
    );
    return saved.map(({ image }) => image);
  }

  private async savedImages(names: readonly string[], platforms: readonly Platform[]): Promise<SavedImage[]> {
    const selected = selectImages(this.options.images, names);
    if (platforms.length === 0) return selected;
    const chosen = selected.map(async ({ image, tags }) => {
      const name = tags[0] ?? image.id;
      const images = await Promise.all(platforms.map((each) => this.platforms.choose(name, each)));
      const distinct = [...new Map(images.map((each) => [each.id, each])).values()];
      if (distinct.length === 1) return distinct.map((each) => ({ image: each, tags }));
      const { index } = await this.platforms.manifests(name);
      return distinct.map((each) => ({ image: each, tags, index }));
    });
    return (await Promise.all(chosen)).flat();
  }

  /**
   * Runs `work` under a lease. What it brought is deleted again after an error, except what a later attempt
   * can go on with: after an abort, or when the registry broke down.
   */
  private async holding<T>(name: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    let brought: Lease | undefined;
    try {
      return await this.options.leases.withLease((lease) => {
        brought = lease;
        return work(lease);
      }, name);
    } catch (error) {
      if (brought && !isResumable(error)) {
        await this.options.images.collect({ blobs: [...brought.blobs], layers: [...brought.layers] });
      }
      throw error;
    }
  }
}
