import { checkDigest } from "../names.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `DELETE /v2/NAME/blobs/DIGEST`: this repository no longer has it; others may. */
export const deleteBlob: Handler = async (_request, { repository, reference }, { repositories }) => {
  const digest = checkDigest(reference);
  if (await repositories.removeBlob(repository, digest)) return emptyReply(202);
  throw refusal("BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
};
