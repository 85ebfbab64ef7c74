import type { Digest } from "../../../core/content/contract.ts";
import { isDigest } from "../../../formats/digest.ts";
import { isTag } from "../names.ts";
import { checkPreconditions, isUnchanged } from "../preconditions.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { RepositoryStore } from "../repository-store.ts";
import type { Handler } from "../route.ts";

/** `GET`, `HEAD /v2/NAME/manifests/REFERENCE`: the exact bytes that were pushed, whatever `Accept` says. */
export const getManifest: Handler = async (request, { repository, reference }, registry) => {
  const { content, repositories } = registry;
  await registry.cache?.refreshManifest(repository, reference);
  const digest = await resolve(repositories, repository, reference);
  const isThere = digest !== undefined && (await repositories.touch(repository, "manifest", digest));
  const record = isThere ? await repositories.manifest(repository, digest) : undefined;
  if (!digest || !record) throw refusal("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
  const { mediaType, size } = record.descriptor;
  const etag = etagOf(digest);
  const headers = { "Content-Type": mediaType, "Docker-Content-Digest": digest, ETag: etag };
  checkPreconditions(request, etag);
  if (isUnchanged(request, etag)) return emptyReply(304, headers);
  if (request.method === "HEAD")
    return { status: 200, headers: { ...headers, "Content-Length": String(size) } };
  return { status: 200, headers, body: await content.read(digest) };
};

export const etagOf = (digest: Digest): string => `"${digest}"`;

/** What the reference stands for here and now, as an entity tag; undefined for nothing. */
export async function currentEtag(
  repositories: RepositoryStore,
  repository: string,
  reference: string,
): Promise<string | undefined> {
  const digest = await resolve(repositories, repository, reference);
  if (digest === undefined || !(await repositories.manifest(repository, digest))) return undefined;
  return etagOf(digest);
}

/** The digest that a tag or digest names; undefined also for what is neither. */
export async function resolve(
  repositories: RepositoryStore,
  repository: string,
  reference: string,
): Promise<Digest | undefined> {
  if (isDigest(reference)) return reference;
  return isTag(reference) ? await repositories.tag(repository, reference) : undefined;
}
