import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chainId, chainIds } from "../../formats/chain-id.ts";
import { type Digest, digestOf } from "../../formats/digest.ts";
import type { CommittedLayer, MountedRoot, Snapshotter } from "./contract.ts";

/** A snapshotter in a directory of its own; disposed after its test. */
export interface SnapshotterUnderTest extends AsyncDisposable {
  readonly snapshots: Snapshotter;
  /** A new one on the same directory, as after a restart of the engine. */
  reopen(): Snapshotter;
}

/** Commits one layer for each set of files, on top of each other; returns them base first. */
export async function commitChain(
  snapshots: Snapshotter,
  layers: readonly Readonly<Record<string, string>>[],
): Promise<CommittedLayer[]> {
  const diffIds = layers.map((files, at) => digestOf(`${at} ${JSON.stringify(files)}`));
  const chain = chainIds(diffIds);
  const committed: CommittedLayer[] = [];
  for (const [at, files] of layers.entries()) {
    const [own, parent, diffId] = [chain[at], chain[at - 1], diffIds[at]];
    if (own === undefined || diffId === undefined) throw new Error("a chain has an id for each layer");
    const draft = await snapshots.draft(own, parent);
    if (draft === undefined) throw new Error(`layer ${own} is there already`);
    writeFiles(draft.directory, files);
    committed.push(await draft.commit({ diffId, sizeBytes: JSON.stringify(files).length }));
  }
  return committed;
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, ".."), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** What is in a mounted root, without what its init layer has. */
export function imageNames({ merged, init }: MountedRoot): string[] {
  const made = new Set(init === undefined ? [] : readdirSync(init));
  return readdirSync(merged)
    .filter((name) => !made.has(name))
    .sort();
}

const diffId = digestOf("a layer");
const base = chainId(undefined, diffId);
const missing: Digest = digestOf("missing");

/** What every snapshotter has to do. Needs root. */
export function testSnapshotter(name: string, start: () => SnapshotterUnderTest): void {
  describe(`${name} layers`, () => {
    test("a committed layer is found by its chain id, also after a restart", async () => {
      await using under = start();
      const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
      if (layer === undefined) throw new Error("no layer");
      expect(under.snapshots.layer(layer.chainId)).toEqual(layer);
      expect(under.snapshots.layer(missing)).toBeUndefined();
      const again = under.reopen();
      expect(again.layers()).toEqual([layer]);
      expect(await again.draft(layer.chainId, undefined)).toBeUndefined();
    });

    test("a discarded draft, or one of a dead engine, leaves nothing", async () => {
      await using under = start();
      const draft = await under.snapshots.draft(base, undefined);
      if (draft === undefined) throw new Error("no draft");
      writeFileSync(join(draft.directory, "file"), "half");
      await draft.discard();
      await draft.discard();
      expect(existsSync(draft.directory)).toBe(false);
      const second = await under.snapshots.draft(base, undefined);
      if (second === undefined) throw new Error("no draft");
      writeFileSync(join(second.directory, "file"), "half");
      expect(under.reopen().layers()).toEqual([]);
      expect(existsSync(second.directory)).toBe(false);
    });

    test("a second draft of a chain waits and gets nothing after the first one's commit", async () => {
      await using under = start();
      const first = await under.snapshots.draft(base, undefined);
      const second = under.snapshots.draft(base, undefined);
      const third = under.snapshots.draft(base, undefined);
      await first?.discard();
      const next = await second;
      expect(next).toBeDefined();
      await next?.commit({ diffId, sizeBytes: 0 });
      expect(await third).toBeUndefined();
      expect(under.snapshots.layers()).toHaveLength(1);
    });

    test("a waiting draft can be given up", async () => {
      await using under = start();
      const first = await under.snapshots.draft(base, undefined);
      const abort = new AbortController();
      const second = under.snapshots.draft(base, undefined, abort.signal);
      abort.abort(new Error("given up"));
      await expect(second).rejects.toThrow("given up");
      await first?.discard();
      expect(await under.snapshots.draft(base, undefined)).toBeDefined();
    });

    test("commit refuses a wrong diff id and a missing parent", async () => {
      await using under = start();
      const draft = await under.snapshots.draft(base, undefined);
      await expect(draft?.commit({ diffId: digestOf("other"), sizeBytes: 0 })).rejects.toThrow(
        "does not make layer",
      );
      await draft?.discard();
      const child = chainId(base, digestOf("child"));
      const early = await under.snapshots.draft(child, base);
      await expect(early?.commit({ diffId: digestOf("child"), sizeBytes: 0 })).rejects.toThrow(
        "before its parent",
      );
      await early?.discard();
      expect(under.snapshots.layers()).toEqual([]);
    });

    test("a layer that something stands on stays", async () => {
      await using under = start();
      const [lower, upper] = await commitChain(under.snapshots, [{ a: "1" }, { b: "2" }]);
      if (lower === undefined || upper === undefined) throw new Error("no layers");
      await expect(under.snapshots.removeLayer(lower.chainId)).rejects.toThrow("in use by layer");
      await under.snapshots.prepare("user", upper.chainId);
      await expect(under.snapshots.removeLayer(upper.chainId)).rejects.toThrow("in use by container user");
      await under.snapshots.remove("user");
      await under.snapshots.removeLayer(upper.chainId);
      await under.snapshots.removeLayer(lower.chainId);
      await under.snapshots.removeLayer(lower.chainId);
      expect(under.snapshots.layers()).toEqual([]);
      expect(under.reopen().layers()).toEqual([]);
    });
  });

  describe(`${name} containers`, () => {
    test("a mounted root shows all layers; what is written stays out of them", async () => {
      await using under = start();
      const chain = await commitChain(under.snapshots, [
        { a: "1", same: "lower" },
        { "d/b": "2", same: "upper" },
      ]);
      const top = chain.at(-1)?.chainId;
      await under.snapshots.prepare("one", top);
      await under.snapshots.prepare("two", top);
      const one = under.snapshots.mount("one");
      const two = under.snapshots.mount("two");
      expect(imageNames(one)).toEqual(["a", "d", "same"]);
      expect(readFileSync(join(one.merged, "same"), "utf8")).toBe("upper");
      writeFileSync(join(one.merged, "a"), "changed");
      expect(readFileSync(join(two.merged, "a"), "utf8")).toBe("1");
      expect(await under.snapshots.usage("one")).toEqual({ sizeBytes: 7, inodes: 1 });
    });

    test("an image without layers is an empty directory", async () => {
      await using under = start();
      await under.snapshots.prepare("empty", undefined);
      const root = under.snapshots.mount("empty");
      expect(imageNames(root)).toEqual([]);
      writeFileSync(join(root.merged, "file"), "x");
      await under.snapshots.unmount("empty");
      expect(readFileSync(join(under.snapshots.mount("empty").merged, "file"), "utf8")).toBe("x");
    });

    test("mounting twice is one mount; unmounting keeps what was written", async () => {
      await using under = start();
      const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
      await under.snapshots.prepare("key", layer?.chainId);
      const root = under.snapshots.mount("key");
      expect(under.snapshots.mount("key")).toEqual(root);
      expect(under.snapshots.mountedKeys()).toEqual(["key"]);
      writeFileSync(join(root.merged, "new"), "x");
      await under.snapshots.unmount("key");
      await under.snapshots.unmount("key");
      expect(under.snapshots.mountedKeys()).toEqual([]);
      expect(readdirSync(root.merged)).toEqual([]);
      expect(imageNames(under.snapshots.mount("key"))).toEqual(["a", "new"]);
    });

    test("a restart keeps containers and their mounts", async () => {
      await using under = start();
      const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
      await under.snapshots.prepare("running", layer?.chainId);
      await under.snapshots.prepare("stopped", layer?.chainId);
      const root = under.snapshots.mount("running");
      const again = under.reopen();
      expect(again.keys().sort()).toEqual(["running", "stopped"]);
      expect(again.mountedKeys()).toEqual(["running"]);
      expect(again.mount("running")).toEqual(root);
      expect(again.describe("stopped").lower).toEqual(root.lower);
    });

    test("removing takes mount and directory away; a key can be used again", async () => {
      await using under = start();
      const [layer] = await commitChain(under.snapshots, [{ a: "1" }]);
      await under.snapshots.prepare("key", layer?.chainId);
      writeFileSync(join(under.snapshots.mount("key").merged, "new"), "x");
      await Promise.all([under.snapshots.remove("key"), under.snapshots.remove("key")]);
      await under.snapshots.remove("key");
      expect(under.snapshots.keys()).toEqual([]);
      expect(() => under.snapshots.describe("key")).toThrow("no such snapshot: key");
      await under.snapshots.prepare("key", layer?.chainId);
      expect(imageNames(under.snapshots.mount("key"))).toEqual(["a"]);
    });

    test("a key in use, a bad key, a missing layer and an unknown key are errors", async () => {
      await using under = start();
      await under.snapshots.prepare("key", undefined);
      await expect(under.snapshots.prepare("key", undefined)).rejects.toThrow("exists already");
      await expect(under.snapshots.prepare("../key", undefined)).rejects.toThrow("invalid snapshot key");
      await expect(under.snapshots.prepare("other", missing)).rejects.toThrow(`no such layer: ${missing}`);
      expect(() => under.snapshots.mount("unknown")).toThrow("no such snapshot: unknown");
      await expect(under.snapshots.usage("unknown")).rejects.toThrow("no such snapshot");
    });
  });
}
