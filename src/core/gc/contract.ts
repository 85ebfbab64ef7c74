import type { Resource } from "../leases/leases.ts";

/** Something that takes space: a resource, or what arrived of a blob (by its digest) before the download broke off. */
export interface StoredObject {
  readonly kind: Resource["kind"] | "partial";
  readonly name: string;
  readonly bytes: number;
  /** When it last changed, milliseconds since 1970; of partial blobs. */
  readonly changedAtMs?: number;
}

/** Who keeps things: an image's name, a container, a lease, a repository of a registry. */
export interface Root {
  readonly kind: "image" | "container" | "lease" | "operation" | "repository";
  readonly name: string;
  readonly keeps: readonly Resource[];
}

/** What needs what: `references` of a resource are kept as long as the resource is. */
export interface KeepGraph {
  readonly roots: readonly Root[];
  readonly references: (resource: Resource) => readonly Resource[];
}

export interface PlannedRemoval extends StoredObject {
  /** For people: why nobody needs it. */
  readonly why: string;
}

/** What is garbage, in the order in which it can go: what refers to others goes before them. */
export type CollectionPlan = readonly PlannedRemoval[];
