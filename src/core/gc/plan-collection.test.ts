import { describe, expect, test } from "bun:test";
import { type Resource, resourceKey } from "../leases/leases.ts";
import type { KeepGraph, Root, StoredObject } from "./contract.ts";
import { findKeepers } from "./find-keepers.ts";
import { keyOf, planCollection } from "./plan-collection.ts";

const [dayMs, nowMs] = [24 * 3600 * 1000, 1_800_000_000_000];
const blob = (name: string): Resource => ({ kind: "blob", name });
const layer = (name: string): Resource => ({ kind: "layer", name });
const stored = (resource: Resource): StoredObject => ({ ...resource, bytes: resource.name.length });

/** An image with an index, and a container on its layers. */
const edges: Readonly<Record<string, readonly Resource[]>> = {
  "blob index": [blob("manifest"), blob("other platform")],
  "blob manifest": [blob("config"), blob("tar")],
  "blob config": [layer("base"), layer("top")],
  "layer top": [layer("base")],
  "snapshot box": [layer("top")],
};
const references = (resource: Resource) => edges[resourceKey(resource)] ?? [];
const everything = [
  ...["index", "manifest", "config", "tar"].map(blob),
  ...["base", "top"].map(layer),
  { kind: "snapshot", name: "box" } as const,
].map(stored);
const image: Root = { kind: "image", name: "debian:ten", keeps: [blob("index")] };
const container: Root = { kind: "container", name: "box", keeps: [{ kind: "snapshot", name: "box" }] };

const plan = (roots: readonly Root[], objects = everything) =>
  planCollection({ roots, references, objects, nowMs, partialsOlderThanMs: dayMs }).map(keyOf);

describe("a collection", () => {
  test("takes nothing while an image and a container keep everything", () => {
    expect(plan([image, container])).toEqual([]);
  });

  test("leaves a container its layers when the image is gone", () => {
    expect(plan([container]).toSorted()).toEqual(["blob config", "blob index", "blob manifest", "blob tar"]);
  });

  test("takes what refers to others first", () => {
    const order = plan([]);
    expect(order).toHaveLength(everything.length);
    for (const object of everything.filter(({ kind }) => kind !== "partial")) {
      for (const reference of edges[keyOf(object)] ?? []) {
        const at = order.indexOf(resourceKey(reference));
        if (at >= 0) expect(order.indexOf(keyOf(object))).toBeLessThan(at);
      }
    }
  });

  test("takes partial blobs by their age, and says why", () => {
    const partial = (name: string, ageMs: number): StoredObject => ({
      kind: "partial",
      name,
      bytes: 5,
      changedAtMs: nowMs - ageMs,
    });
    const objects = [partial("new", dayMs - 1), partial("old", dayMs)];
    const planned = planCollection({ roots: [], references, objects, nowMs, partialsOlderThanMs: dayMs });
    expect(planned).toEqual([
      { ...partial("old", dayMs), why: "its download broke off, and nobody has gone on with it" },
    ]);
  });
});

test("who keeps a layer is told with the shortest way to it", () => {
  const operation: Root = { kind: "operation", name: "a pull", keeps: [blob("tar"), layer("base")] };
  const ways = findKeepers({ roots: [image, container, operation], references }, layer("base"));
  expect(ways.map(({ root, path }) => [root.name, ...path.map(({ name }) => name)])).toEqual([
    ["debian:ten", "index", "manifest", "config", "base"],
    ["box", "box", "top", "base"],
    ["a pull", "base"],
  ]);
  expect(findKeepers({ roots: [image], references }, layer("unknown"))).toEqual([]);
});

describe("on random graphs", () => {
  test("nothing reachable goes, all else does", () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = generator(seed);
      const { graph, objects } = randomStore(random);
      const planned = planCollection({ ...graph, objects, nowMs, partialsOlderThanMs: dayMs });
      const gone = new Set(planned.map(keyOf));
      for (const object of objects) {
        if (object.kind === "partial") continue;
        // The other way round than the planner looks: from the object to its roots.
        const isKept = findKeepers(graph, { kind: object.kind, name: object.name }).length > 0;
        expect([seed, keyOf(object), gone.has(keyOf(object))]).toEqual([seed, keyOf(object), !isKept]);
      }
      const order = planned.map(keyOf);
      for (const [index, key] of order.entries()) {
        const [kind = "", name = ""] = key.split(" ");
        if (kind !== "blob" && kind !== "layer" && kind !== "snapshot") continue;
        for (const reference of graph.references({ kind, name })) {
          if (gone.has(resourceKey(reference)))
            expect(order.indexOf(resourceKey(reference))).toBeGreaterThan(index);
        }
      }
    }
  });

  test("a chain of a hundred thousand objects is no deep recursion", () => {
    const chain = Array.from({ length: 100_000 }, (_, index) => stored(layer(`${index}`)));
    const next = ({ name }: Resource) => (Number(name) > 0 ? [layer(`${Number(name) - 1}`)] : []);
    const planned = planCollection({
      roots: [],
      references: next,
      objects: chain,
      nowMs,
      partialsOlderThanMs: 0,
    });
    expect(planned.map(({ name }) => name)).toEqual(chain.map(({ name }) => name).reverse());
  });
});

/** Images, containers, leases and operations over blobs, layers and tops; some of each lost their referrers. */
function randomStore(random: (below: number) => number): { graph: KeepGraph; objects: StoredObject[] } {
  const pick = <T>(from: readonly T[]): T[] => from.filter(() => random(3) === 0);
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  const layers = names("l", random(12)).map(layer);
  const leaves = names("b", random(12)).map(blob);
  const manifests = names("m", random(6)).map(blob);
  const indexes = names("i", random(4)).map(blob);
  const tops = names("c", random(5)).map((name): Resource => ({ kind: "snapshot", name }));
  const targets = new Map<string, readonly Resource[]>();
  for (const [index, one] of layers.entries()) {
    const parent = layers[random(layers.length)];
    if (parent !== undefined && layers.indexOf(parent) < index) targets.set(resourceKey(one), [parent]);
  }
  for (const one of manifests) targets.set(resourceKey(one), [...pick(leaves), ...pick(layers)]);
  for (const one of indexes) targets.set(resourceKey(one), [...pick(manifests), blob("absent")]);
  for (const one of tops) targets.set(resourceKey(one), pick(layers).slice(0, 1));
  const all = [...layers, ...leaves, ...manifests, ...indexes, ...tops];
  const roots: Root[] = [
    { kind: "image", name: "image", keeps: [...pick(indexes), ...pick(manifests)] },
    { kind: "container", name: "container", keeps: pick(tops) },
    { kind: "lease", name: "lease", keeps: pick(pick(all)) },
    { kind: "operation", name: "pull", keeps: pick(pick([...leaves, ...layers])) },
  ];
  return {
    graph: { roots, references: (resource) => targets.get(resourceKey(resource)) ?? [] },
    objects: all.map(stored),
  };
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return below === 0 ? 0 : ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
