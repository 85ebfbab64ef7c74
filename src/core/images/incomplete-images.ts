import type { Digest } from "../../formats/digest.ts";
import { type ReferenceSources, readReferences } from "../gc/read-references.ts";
import { type Resource, resourceKey } from "../leases/leases.ts";
import type { ImageRecord, ReferenceRecord } from "./image-sidecars.ts";

/**
 * Images and names whose sidecars are there, but not all of their blobs and layers. They are no images until a pull or
 * a repair brings what is missing; what they still have is kept until then.
 */
export class IncompleteImages {
  readonly images = new Map<Digest, ImageRecord>();
  readonly names = new Map<string, ReferenceRecord>();
  /** What their blobs refer to, as far as they are there. */
  readonly references = new Map<string, readonly Resource[]>();

  constructor(private readonly sources: ReferenceSources) {}

  async addImage(record: ImageRecord): Promise<void> {
    this.images.set(record.id, record);
    await this.#read(record.manifest.digest);
  }

  async addName(record: ReferenceRecord): Promise<void> {
    this.names.set(record.reference, record);
    await this.#read(record.manifest.digest);
  }

  async #read(name: Digest): Promise<void> {
    const waiting: Resource[] = [{ kind: "blob", name }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const key = resourceKey(next);
      if (this.references.has(key)) continue;
      const references = await readReferences(this.sources, next);
      this.references.set(key, references);
      waiting.push(...references);
    }
  }
}
