import type { Digest } from "../../../core/content/contract.ts";
import { digestAlgorithm, digestOf } from "../../../formats/digest.ts";
import { type ReadManifest, readManifest } from "../manifest-record.ts";
import { checkDigest, isTag } from "../names.ts";
import { checkPreconditions } from "../preconditions.ts";
import { readLimited } from "../read-limited.ts";
import { errorReply, refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { RepositoryStore } from "../repository-store.ts";
import type { Handler } from "../route.ts";
import { currentEtag } from "./get-manifest.ts";

/** What every registry has to accept, and more than any tool makes (distribution-spec, "Pushing Manifests"). */
const maxManifestBytes = 4 << 20;
const maxTags = 64;

/** `PUT /v2/NAME/manifests/REFERENCE`; by digest with any number of `tag` parameters. */
export const putManifest: Handler = async (request, { repository, reference }, { repositories }) => {
  const digest = reference.includes(":") ? checkDigest(reference) : undefined;
  const tags = digest === undefined ? [reference] : request.query.getAll("tag");
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) throw refusal("TAG_INVALID", `invalid tag: ${bad}`);
  if (tags.length > maxTags) {
    return errorReply(refusal("TAG_INVALID", `more than ${maxTags} tags in one request`), {}, 414);
  }
  const bytes = await readLimited(request.body, maxManifestBytes);
  if (bytes === undefined) {
    const error = refusal("SIZE_INVALID", `manifest is larger than ${maxManifestBytes} bytes`);
    return errorReply(error, {}, 413);
  }
  const actual = digestOf(bytes, digest === undefined ? "sha256" : digestAlgorithm(digest));
  if (digest !== undefined && actual !== digest)
    throw refusal("DIGEST_INVALID", `manifest has the digest ${actual}, not ${digest}`);

  const manifest = readManifest(bytes, actual, request.headers["content-type"]);
  await repositories.exclusively(repository, async () => {
    checkPreconditions(request, await currentEtag(repositories, repository, reference));
    await checkContent(repositories, repository, manifest);
    await repositories.addManifest(repository, bytes, manifest.record);
    for (const tag of tags) await repositories.setTag(repository, tag, actual);
  });
  const { subject } = manifest.record;
  return emptyReply(201, {
    Location: `/v2/${repository}/manifests/${actual}`,
    "Docker-Content-Digest": actual,
    ...(subject !== undefined && { "OCI-Subject": subject }),
    ...(digest !== undefined && tags.length > 0 && { "OCI-Tag": tags }),
  });
};

/** A `subject` may come later, or never; everything else has to be here first. */
async function checkContent(
  repositories: RepositoryStore,
  repository: string,
  { blobs, manifests, others }: ReadManifest,
): Promise<void> {
  const missing = (digest: Digest) =>
    refusal("MANIFEST_BLOB_UNKNOWN", `${repository} has no ${digest}, which the manifest names`);
  const isBlob = (digest: Digest) => repositories.hasBlob(repository, digest);
  const isManifest = async (digest: Digest) =>
    (await repositories.manifest(repository, digest)) !== undefined;
  for (const digest of blobs) if (!isBlob(digest)) throw missing(digest);
  for (const digest of manifests) if (!(await isManifest(digest))) throw missing(digest);
  for (const digest of others) if (!isBlob(digest) && !(await isManifest(digest))) throw missing(digest);
}
