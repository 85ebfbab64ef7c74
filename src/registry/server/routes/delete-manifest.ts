import { checkDigest, isTag } from "../names.ts";
import { checkPreconditions } from "../preconditions.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";
import { currentEtag } from "./get-manifest.ts";

/** `DELETE /v2/NAME/manifests/REFERENCE`: a tag alone, or a manifest with all its tags. */
export const deleteManifest: Handler = async (request, { repository, reference }, { repositories }) => {
  const digest = reference.includes(":") ? checkDigest(reference) : undefined;
  const removed = await repositories.exclusively(repository, async () => {
    checkPreconditions(request, await currentEtag(repositories, repository, reference));
    if (digest !== undefined) return await repositories.removeManifest(repository, digest);
    return isTag(reference) && (await repositories.removeTag(repository, reference));
  });
  if (removed) return emptyReply(202);
  throw refusal("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
};
