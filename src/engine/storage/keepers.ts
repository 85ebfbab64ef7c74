import type { ContentStore } from "../../core/content/contract.ts";
import type { Collector } from "../../core/gc/collector.ts";
import type { KeepGraph, Root, StoredObject } from "../../core/gc/contract.ts";
import { findKeepers } from "../../core/gc/find-keepers.ts";
import { keyOf } from "../../core/gc/plan-collection.ts";
import type { Image } from "../../core/images/contract.ts";
import type { Resource } from "../../core/leases/leases.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import { invalidParameter, notFound } from "../../errors/platform-error.ts";
import { digestHex, isDigest } from "../../formats/digest.ts";
import type { Container } from "../containers/container.ts";
import type { ContainerStore } from "../containers/container-store.ts";
import { familiar } from "../images/familiar-names.ts";
import type { ImageService } from "../images/image-service.ts";

type References = KeepGraph["references"];

/** `role`, for people: what the object is in an image or container. */
interface Described {
  readonly role: string;
  readonly name: string;
}

/** Something on disk, and everybody on whose account it is there. */
export interface KeptObject extends StoredObject, Described {
  readonly keepers: readonly {
    readonly kind: Root["kind"];
    readonly name: string;
    /** What leads from the keeper to the object, without the object. */
    readonly through: readonly Described[];
  }[];
}

/** Tells why something is on disk. */
export class Keepers {
  constructor(
    private readonly content: ContentStore,
    private readonly snapshots: Snapshotter,
    private readonly images: ImageService,
    private readonly containers: ContainerStore,
    private readonly collector: Collector,
  ) {}

  /**
   * `name`: a container, an image, or the digest of a blob, layer (chain id or diff id) or its beginning. Of containers
   * and images everything that they keep. Errors: NotFound; InvalidParameter for an ambiguous beginning.
   */
  async of(name: string): Promise<KeptObject[]> {
    const { roots, references } = this.collector.graph();
    // The id of an image that has names tells nothing new.
    const graph = { roots: roots.filter((root) => !this.#isNamedId(root)), references };
    const roles = this.#blobRoles(references);
    const described = ({ kind, name }: Resource): Described => ({
      role: kind === "blob" ? (roles.get(name) ?? "blob") : otherRoles[kind],
      name,
    });
    return await Promise.all(
      this.#resources(name, references).map(async (resource) => ({
        ...resource,
        ...described(resource),
        bytes: await this.#bytes(resource),
        keepers: findKeepers(graph, resource).map(({ root, path }) => ({
          kind: root.kind,
          name: root.kind === "image" ? shownImage(root.name) : root.name,
          through: path.slice(0, -1).map(described),
        })),
      })),
    );
  }

  #isNamedId({ kind, name }: Root): boolean {
    if (kind !== "image" || !isDigest(name)) return false;
    const image = this.images.store.find(name);
    return image !== undefined && image.tags.length + image.repoDigests.length > 0;
  }

  #blobRoles(references: References): Map<string, string> {
    const roles = new Map<string, string>();
    for (const { id, manifest, tags, repoDigests } of this.images.store.list()) {
      for (const name of [...tags, ...repoDigests]) {
        const target = this.images.store.target(name);
        if (target) roles.set(target.digest, /index|list/.test(target.mediaType) ? "index" : "manifest");
      }
      roles.set(manifest.digest, "manifest");
      for (const { name } of references({ kind: "blob", name: manifest.digest }))
        roles.set(name, "layer blob");
      roles.set(id, "config");
    }
    return roles;
  }

  #resources(name: string, references: References): Resource[] {
    const container = this.containers.find(name);
    if (container) return this.#ofContainer(container);
    const exact = this.#byDigest((digest) => digest === name);
    if (exact.length > 0 && !this.#isImageId(name)) return exact;
    const image = this.images.store.find(name);
    if (image) return this.#ofImage(image, references);
    return this.#byPrefix(name);
  }

  #isImageId(name: string): boolean {
    return this.images.store.list().some(({ id }) => id === name);
  }

  #ofContainer({ id }: Container): Resource[] {
    const parent = this.snapshots.parent(id);
    return [{ kind: "snapshot", name: id }, ...this.#chain(parent)];
  }

  /** The layer and those below it, topmost first. */
  #chain(top: string | undefined): Resource[] {
    const chain: Resource[] = [];
    for (let at = top; at !== undefined && isDigest(at); at = this.snapshots.layer(at)?.parent)
      chain.push({ kind: "layer", name: at });
    return chain;
  }

  #ofImage(image: Image, references: References): Resource[] {
    const found = new Map<string, Resource>();
    const names = [...image.tags, ...image.repoDigests];
    const targets = names.flatMap((name) => this.images.store.target(name)?.digest ?? []);
    const waiting: Resource[] = [...targets, image.manifest.digest].map((name) => ({ kind: "blob", name }));
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (found.has(keyOf(next))) continue;
      if (this.#isStored(next)) found.set(keyOf(next), next);
      waiting.push(...references(next));
    }
    return [...found.values()];
  }

  #isStored({ kind, name }: Resource): boolean {
    if (!isDigest(name)) return this.snapshots.keys().includes(name);
    return kind === "blob" ? this.content.has(name) : this.snapshots.layer(name) !== undefined;
  }

  #byDigest(accepts: (digest: string) => boolean): Resource[] {
    const blobs = this.content.list().filter(accepts);
    const layers = this.snapshots
      .layers()
      .filter(({ chainId, diffId }) => accepts(chainId) || accepts(diffId));
    return [
      ...blobs.map((name) => ({ kind: "blob", name }) as const),
      ...layers.map(({ chainId }) => ({ kind: "layer", name: chainId }) as const),
    ];
  }

  #byPrefix(name: string): Resource[] {
    const text = name.replace(/^sha256:/, "");
    const found = /^[0-9a-f]{4,128}$/.test(text)
      ? this.#byDigest((digest) => isDigest(digest) && digestHex(digest).startsWith(text))
      : [];
    if (found.length === 0) throw notFound(`No such image, container, blob or layer: ${name}`);
    // A blob without compression and the layer at the bottom that it unpacks to have one digest.
    if (new Set(found.map((one) => one.name)).size > 1)
      throw invalidParameter(`${name} is ambiguous: ${found.length} blobs and layers begin with it`, {
        hint: "write more digits",
      });
    return found;
  }

  async #bytes({ kind, name }: Resource): Promise<number> {
    if (kind === "snapshot") return (await this.snapshots.usage(name)).sizeBytes;
    if (!isDigest(name)) return 0;
    return (kind === "blob" ? this.content.size(name) : this.snapshots.layer(name)?.sizeBytes) ?? 0;
  }
}

const otherRoles = { layer: "unpacked layer", snapshot: "writable top" } as const;

const shownImage = (name: string): string => (isDigest(name) ? name : familiar(name));
