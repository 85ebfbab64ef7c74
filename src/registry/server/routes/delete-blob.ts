import { checkDigest } from "../names.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `DELETE /v2/NAME/blobs/DIGEST`: this repository no longer has it; others may. */
export const deleteBlob: Handler = async (_request, { repository, reference }, { repositories }) => {
  const digest = checkDigest(reference);
  // Not between the check of a manifest that names it and the manifest's coming.
  const removed = await repositories.exclusively(repository, () =>
    repositories.removeBlob(repository, digest),
  );
  if (removed) return emptyReply(202);
  throw refusal("BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
};
