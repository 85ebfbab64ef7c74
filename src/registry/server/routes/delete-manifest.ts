import { checkDigest, isTag } from "../names.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `DELETE /v2/NAME/manifests/REFERENCE`: a tag alone, or a manifest with all its tags. */
export const deleteManifest: Handler = async (_request, { repository, reference }, { repositories }) => {
  const removed = reference.includes(":")
    ? await repositories.removeManifest(repository, checkDigest(reference))
    : isTag(reference) && (await repositories.removeTag(repository, reference));
  if (removed) return emptyReply(202);
  throw refusal("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
};
