import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { fileError } from "../../core/content/file-error.ts";
import type { Image, ImageStore } from "../../core/images/contract.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { invalidParameter, messageOf, notFound } from "../../errors/platform-error.ts";
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  pickPlatform,
} from "../../formats/platform.ts";
import type { Networks } from "../../network/contract.ts";
import { formatTimeNs, nowNs } from "../clock.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import { checkBindSources } from "./bind-sources.ts";
import { commandWords } from "./command-words.ts";
import { Container } from "./container.ts";
import type { ContainerEvents } from "./container-events.ts";
import { parseContainerName, randomName } from "./container-name.ts";
import { type ContainerRecord, initialState } from "./container-record.ts";
import type { ContainerStore } from "./container-store.ts";
import { parseLogConfig } from "./log-config.ts";
import { mountPoints } from "./mount-points.ts";
import { type CreateBody, parseCreateBody } from "./parse-create-body.ts";
import { portRequests } from "./port-requests.ts";
import { parseSignal } from "./signals.ts";
import type { SpecSource } from "./spec-source.ts";

export interface CreateRequest {
  readonly name: string | undefined;
  /** `os/arch[/variant]`; undefined: whatever the image is. */
  readonly platform?: string | undefined;
  /** JSON of `POST /containers/create`. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Created {
  readonly container: Container;
  /** What this host cannot do and was left out, in Docker's wording. */
  readonly warnings: readonly string[];
}

/** Makes containers: a record and a writable snapshot, nothing that runs. */
export class Creator {
  constructor(
    private readonly store: ContainerStore,
    private readonly images: ImageStore,
    private readonly snapshots: Snapshotter,
    private readonly networks: Networks,
    private readonly specs: SpecSource,
    private readonly events: ContainerEvents,
  ) {}

  /**
   * Errors: InvalidParameter and NotImplemented naming the field; NotFound `No such image: …`; Conflict for a name in
   * use. Nothing is left after a failure.
   */
  async create(request: CreateRequest): Promise<Created> {
    const { record, warnings } = this.draft(request);
    const container = new Container(record);
    this.store.add(container);
    try {
      this.store.makeDirectory(container.id);
      const image = this.images.resolve(container.record.imageId);
      const volatile = container.record.hostConfig.AutoRemove === true; // it does not outlive the machine anyway
      await this.snapshots.prepare(container.id, image.chainIds.at(-1), { volatile });
      if (volatile) this.store.save(container);
      else await this.store.saveDurably(container);
    } catch (error) {
      const doomed = this.store.forget(container);
      await this.snapshots.remove(container.id);
      await rm(doomed, { recursive: true, force: true });
      throw fileError(error, `create container ${container.name}`);
    }
    this.events.publish(container, "create");
    return { container, warnings };
  }

  /** The record that a create would make; checks everything and changes nothing. */
  draft(request: CreateRequest): { record: ContainerRecord; warnings: readonly string[] } {
    const body = parseCreateBody(request.body, this.specs.host);
    const image = this.#image(body, request.platform);
    this.#check(body, image);
    const id = randomBytes(32).toString("hex");
    const record: ContainerRecord = {
      version: 1,
      id,
      name: this.#name(request.name),
      createdAt: formatTimeNs(nowNs()),
      config: body.config,
      hostConfig: body.hostConfig,
      imageId: image.id,
      imageConfig: image.config.config,
      mounts: mountPoints(body.hostConfig),
      state: initialState,
      endpoint: undefined,
      cgroupPath: undefined,
      restartCount: 0,
    };
    const warnings = [...body.warnings, ...this.specs.check(record)];
    if (request.platform === undefined) warnings.push(...platformWarnings(image));
    return { record, warnings };
  }

  #name(given: string | undefined): string {
    if (given === undefined) return randomName((name) => this.store.hasName(name));
    const name = parseContainerName(given);
    this.store.checkNameIsFree(name);
    return name;
  }

  #image({ config }: CreateBody, platform: string | undefined): Image {
    if (!config.Image)
      throw invalidParameter("config.Image is missing: which image shall the container run?");
    const image = this.images.resolve(config.Image);
    if (platform === undefined) return image;
    const wanted = parsePlatform(platform, hostPlatform());
    const variants = this.images
      .variants(config.Image)
      .map((each) => ({ image: each, platform: each.config }));
    const chosen = choosePlatform(variants, wanted);
    if (chosen !== undefined) return chosen.image;
    const own = pickPlatform(image.config);
    throw notFound(
      `image with reference ${config.Image} was found but its platform (${formatPlatform(own)}) does not match the specified platform (${formatPlatform(wanted)})`,
    );
  }

  #check({ config, hostConfig }: CreateBody, image: Image): void {
    const effective = mergeImageConfig(config, image.config.config);
    if (commandWords(effective).length === 0) throw invalidParameter("no command specified");
    if (effective.WorkingDir && !effective.WorkingDir.startsWith("/")) {
      throw invalidParameter(
        `the working directory '${effective.WorkingDir}' is invalid, it needs to be an absolute path`,
      );
    }
    for (const variable of effective.Env ?? []) {
      if (variable === "" || variable.startsWith("="))
        throw invalidParameter(`invalid environment variable: ${variable}`);
    }
    if (effective.StopSignal) parseSignal(effective.StopSignal);
    parseLogConfig(hostConfig);
    checkBindSources(hostConfig);
    portRequests(effective, hostConfig);
    this.#checkNetwork(hostConfig.NetworkMode || "default");
  }

  /** No 404: Docker's client takes every NotFound of a creation for a missing image, and pulls. */
  #checkNetwork(name: string): void {
    try {
      this.networks.resolve(name);
    } catch (error) {
      throw invalidParameter(messageOf(error), { cause: error });
    }
  }
}

/** An image that is there runs where nobody asked for a platform; what it needs may be missing. */
function platformWarnings({ config }: Image): string[] {
  const host = hostPlatform();
  if (choosePlatform([{ platform: config }], host) !== undefined) return [];
  return [
    `The requested image's platform (${formatPlatform(pickPlatform(config))}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested`,
  ];
}
