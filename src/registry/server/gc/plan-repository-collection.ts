import { planCollection } from "../../../core/gc/plan-collection.ts";
import type { Resource } from "../../../core/leases/leases.ts";
import type { Digest } from "../../../formats/digest.ts";

/** What a repository has, and when somebody last pushed it or looked at it (milliseconds). */
export interface RepositoryContents {
  readonly manifests: ReadonlyMap<Digest, ManifestContents>;
  readonly blobs: ReadonlyMap<Digest, number>;
  /** What its tags name. */
  readonly tagged: ReadonlySet<Digest>;
}

export interface ManifestContents {
  readonly usedAtMs: number;
  /** Config, layers, members of an index. */
  readonly needs: readonly Digest[];
  readonly subject: Digest | undefined;
}

export interface CollectionRules {
  /** What was pushed or looked at since is left: a running push may be about to name it. */
  readonly unusedSinceMs: number;
  /**
   * - `unneeded`: blobs that no manifest names.
   * - `untagged`: manifests without a tag as well, unless a tagged index or a subject keeps them.
   * - `unused`: everything that nobody looks at, as of a cache.
   */
  readonly what: "unneeded" | "untagged" | "unused";
}

export interface PlannedLink {
  readonly kind: "manifest" | "blob";
  readonly digest: Digest;
  /** For people. */
  readonly why: string;
}

/** Plans what a repository gives up; removes nothing. What names others goes before them. */
export function planRepositoryCollection(
  contents: RepositoryContents,
  rules: CollectionRules,
): PlannedLink[] {
  const { manifests, blobs } = contents;
  const digests = [...new Set([...manifests.keys(), ...blobs.keys()])];
  const plan = planCollection({
    objects: digests.map((name) => ({ kind: "blob", name, bytes: 0 })),
    roots: [{ kind: "repository", name: "", keeps: keptBy(contents, rules).map(resource) }],
    references: rules.what === "unused" ? () => [] : referencesIn(manifests),
    nowMs: 0,
    partialsOlderThanMs: 0,
  });
  const garbage = plan.map(({ name }) => name as Digest);
  const links = (kind: PlannedLink["kind"], known: ReadonlyMap<Digest, unknown>, why: string) =>
    garbage.filter((digest) => known.has(digest)).map((digest) => ({ kind, digest, why }));
  const unused = "nobody has asked for it";
  return [
    ...links("manifest", manifests, rules.what === "unused" ? unused : "no tag leads to it"),
    ...links("blob", blobs, rules.what === "unused" ? unused : "no manifest of the repository names it"),
  ];
}

const resource = (name: Digest): Resource => ({ kind: "blob", name });

function keptBy({ manifests, blobs, tagged }: RepositoryContents, { unusedSinceMs, what }: CollectionRules) {
  const recentBlobs = [...blobs].filter(([, usedAtMs]) => usedAtMs > unusedSinceMs);
  const keptManifests = [...manifests].filter(
    ([digest, { usedAtMs }]) =>
      what === "unneeded" || usedAtMs > unusedSinceMs || (what === "untagged" && tagged.has(digest)),
  );
  return [...recentBlobs, ...keptManifests].map(([digest]) => digest);
}

/** A manifest keeps what it needs, and what names it as its subject: signatures stay with what they sign. */
function referencesIn(manifests: RepositoryContents["manifests"]): (resource: Resource) => Resource[] {
  const referrers = new Map<string, Digest[]>();
  for (const [digest, { subject }] of manifests)
    if (subject !== undefined) referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
  return ({ name }) => {
    const needs = manifests.get(name as Digest)?.needs ?? [];
    return [...needs, ...(referrers.get(name) ?? [])].map(resource);
  };
}
