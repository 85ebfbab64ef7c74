import { type Resource, resourceKey } from "../leases/leases.ts";
import type { KeepGraph, Root } from "./contract.ts";

/** One root that keeps a resource, and the way from it: the last one is the resource itself. */
export interface Keeper {
  readonly root: Root;
  readonly path: readonly Resource[];
}

/** All roots that keep a resource, each with a shortest way to it. */
export function findKeepers({ roots, references }: KeepGraph, wanted: Resource): Keeper[] {
  return roots.flatMap((root) => {
    const path = shortestPath(root.keeps, references, resourceKey(wanted));
    return path === undefined ? [] : [{ root, path }];
  });
}

function shortestPath(
  starts: readonly Resource[],
  references: KeepGraph["references"],
  wanted: string,
): Resource[] | undefined {
  const from = new Map<string, Resource | undefined>();
  let round: (readonly [Resource, Resource | undefined])[] = starts.map((start) => [start, undefined]);
  while (round.length > 0) {
    const next: typeof round = [];
    for (const [resource, before] of round) {
      const key = resourceKey(resource);
      if (from.has(key)) continue;
      from.set(key, before);
      if (key === wanted) return pathBack(resource, from);
      for (const reference of references(resource)) next.push([reference, resource]);
    }
    round = next;
  }
  return undefined;
}

function pathBack(end: Resource, from: ReadonlyMap<string, Resource | undefined>): Resource[] {
  const path: Resource[] = [];
  for (let at: Resource | undefined = end; at !== undefined; at = from.get(resourceKey(at))) path.unshift(at);
  return path;
}
