import { type Resource, resourceKey } from "../leases/leases.ts";
import type { CollectionPlan, KeepGraph, PlannedRemoval, StoredObject } from "./contract.ts";

export interface CollectionInput extends KeepGraph {
  readonly objects: Iterable<StoredObject>;
  readonly nowMs: number;
  /** Partial blobs that changed since are left to whoever pulls again. */
  readonly partialsOlderThanMs: number;
}

/**
 * Plans a garbage collection by mark and sweep; deletes nothing.
 *
 * Out: every object that no root reaches, each after those that refer to it, so that a collection that is cut in the
 *      middle leaves nothing that refers to something missing; at the end the partial blobs that are too old.
 */
export function planCollection(input: CollectionInput): CollectionPlan {
  const needed = reachable(input);
  const garbage = new Map<string, StoredObject>();
  const partials: PlannedRemoval[] = [];
  for (const object of input.objects) {
    if (object.kind === "partial") partials.push(...oldPartial(object, input));
    else if (!needed.has(keyOf(object))) garbage.set(keyOf(object), object);
  }
  return [...referrersFirst(garbage, input.references).map(withReason), ...partials];
}

/** The keys of everything that a root keeps, directly or through others. */
export function reachable({ roots, references }: KeepGraph): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = roots.flatMap(({ keeps }) => keeps);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const key = resourceKey(next);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const reference of references(next)) waiting.push(reference);
  }
  return seen;
}

export const keyOf = ({ kind, name }: Pick<StoredObject, "kind" | "name">): string => `${kind} ${name}`;

/** Depth first, and turned round: an object is written down before what it refers to. */
function referrersFirst(
  garbage: ReadonlyMap<string, StoredObject>,
  references: KeepGraph["references"],
): StoredObject[] {
  const seen = new Set<string>();
  const leavesFirst: StoredObject[] = [];
  for (const object of garbage.values()) visit(object, garbage, references, seen, leavesFirst);
  return leavesFirst.reverse();
}

/** With a stack of its own: chains are as long as an image has layers, hostile indexes longer. */
function visit(
  start: StoredObject,
  garbage: ReadonlyMap<string, StoredObject>,
  references: KeepGraph["references"],
  seen: Set<string>,
  leavesFirst: StoredObject[],
): void {
  if (seen.has(keyOf(start))) return;
  seen.add(keyOf(start));
  const stack = [{ object: start, rest: referencesOf(start, references) }];
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const next = at.rest.pop();
    if (next === undefined) {
      leavesFirst.push(at.object);
      stack.pop();
      continue;
    }
    const object = garbage.get(resourceKey(next));
    if (object === undefined || seen.has(keyOf(object))) continue;
    seen.add(keyOf(object));
    stack.push({ object, rest: referencesOf(object, references) });
  }
}

function referencesOf({ kind, name }: StoredObject, references: KeepGraph["references"]): Resource[] {
  return kind === "partial" ? [] : [...references({ kind, name })];
}

const reasons = {
  blob: "no image, lease or running operation needs it",
  layer: "no image, container, lease or running operation needs it",
  snapshot: "no container or lease owns it",
} as const;

const withReason = (object: StoredObject): PlannedRemoval => ({
  ...object,
  why: object.kind === "partial" ? "" : reasons[object.kind],
});

function oldPartial(object: StoredObject, { nowMs, partialsOlderThanMs }: CollectionInput): PlannedRemoval[] {
  const ageMs = nowMs - (object.changedAtMs ?? 0);
  if (ageMs < partialsOlderThanMs) return [];
  return [{ ...object, why: "its download broke off, and nobody has gone on with it" }];
}
