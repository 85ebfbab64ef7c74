import type { Manifest } from "../../formats/oci-image.ts";
import { canonicalReference, parseReference, type Reference, withDigest } from "../../formats/reference.ts";
import type { Descriptor, Digest } from "../content/contract.ts";
import type { Registries, RemoteUploads } from "../transfer/contract.ts";
import { isForeign } from "../transfer/stored-layers.ts";
import type { IndexDraft, IndexMember } from "./contract.ts";
import type { CredentialsOf, FoundManifest, ManifestSources } from "./manifest-sources.ts";
import { planIndex } from "./plan-index.ts";

export interface IndexPush {
  readonly draft: IndexDraft;
  readonly credentialsOf: CredentialsOf;
  readonly signal: AbortSignal;
}

export interface PushedIndex {
  readonly digest: Digest;
  /** Manifests that were brought into the repository, by digest. */
  readonly members: readonly { readonly reference: string; readonly digest: Digest }[];
}

/**
 * Brings all manifests of an index with their blobs into its repository, then the index under its tag, so that the tag
 * never means something that is not there. Blobs are mounted where the registry is the same, else copied through.
 * Errors: NotFound for a manifest that is gone; those of the registries.
 */
export async function pushIndex(
  registries: Registries,
  sources: ManifestSources,
  { draft, credentialsOf, signal }: IndexPush,
): Promise<PushedIndex> {
  const target = parseReference(draft.name);
  const index = planIndex(draft);
  const credentials = credentialsOf(target.domain);
  const members: { reference: string; digest: Digest }[] = [];
  for (const member of draft.members) {
    const origin = parseReference(member.reference);
    const { digest } = member.descriptor;
    if (member.source === "registry" && isSameRepository(origin, target)) continue;
    const found = await sources.again(member, credentialsOf, signal);
    const mountFrom = member.source === "registry" && origin.domain === target.domain ? [origin.path] : [];
    const uploads = registries.uploads(target, credentials, mountFrom);
    await copyManifest(found, uploads, { member, mountFrom, signal });
    members.push({ reference: canonicalReference(withDigest(target, digest)), digest });
  }
  const uploads = registries.uploads(target, credentials, []);
  await uploads.putManifest(target.tag ?? "latest", index.descriptor, index.bytes, signal);
  return { digest: index.descriptor.digest, members };
}

const isSameRepository = (a: Reference, b: Reference): boolean => a.domain === b.domain && a.path === b.path;

async function copyManifest(
  { document, bytes, blob }: FoundManifest,
  uploads: RemoteUploads,
  {
    member: { descriptor },
    mountFrom,
    signal,
  }: {
    readonly member: IndexMember;
    readonly mountFrom: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  if (document.kind !== "manifest") return; // a member is never an index: see memberOf
  for (const each of blobsOf(document, await uploads.takesForeignLayers())) {
    await uploads.ensureBlob({
      descriptor: each,
      open: (range) => blob(each, range),
      mountFrom,
      onProgress: () => undefined,
      onRetry: () => undefined,
      signal,
    });
  }
  await uploads.putManifest(descriptor.digest, descriptor, bytes, signal);
}

/** Each once; foreign layers stay where they are, unless the operator lets them go. */
function blobsOf({ layers, config }: Manifest, takesForeign: boolean): Descriptor[] {
  const all = [...layers.filter((layer) => takesForeign || !isForeign(layer)), config];
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}
