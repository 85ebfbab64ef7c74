import type { DigestAlgorithm } from "../../../formats/digest.ts";
import { repositoryAccess } from "../auth/access.ts";
import { checkDigest, isRepositoryName } from "../names.ts";
import { refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";
import { blobCreated } from "./blob-created.ts";
import { uploadHeaders } from "./upload-location.ts";

/**
 * `POST /v2/NAME/blobs/uploads/`: begins an upload; with `digest` the body is the whole blob; with `mount` and `from`
 * the blob is taken from another repository, where that has it and the client may read it; without `from` from any.
 * Spec: distribution-spec, "Mounting a blob from another repository".
 */
export const startUpload: Handler = async (request, { repository }, { repositories, uploads }) => {
  const { query } = request;
  const mount = query.get("mount");
  if (mount !== null) {
    const digest = checkDigest(mount);
    const from = query.get("from");
    for (const source of from === null ? repositories.holdersOfBlob(digest) : [from]) {
      if (!isRepositoryName(source) || !request.grant.allows(repositoryAccess(source, "pull"))) continue;
      if (await repositories.mountBlob(repository, digest, source)) return blobCreated(repository, digest);
    }
  }
  const whole = query.get("digest");
  const digest = whole === null ? undefined : checkDigest(whole);
  const upload = await uploads.create(repository, parseAlgorithm(query.get("digest-algorithm")));
  if (digest === undefined) return emptyReply(202, uploadHeaders(upload, 0));
  try {
    await uploads.append(upload, request.body);
  } catch (error) {
    await uploads.discard(upload); // the client never learned its name
    throw error;
  }
  await uploads.finish(upload, digest);
  return blobCreated(repository, digest);
};

function parseAlgorithm(text: string | null): DigestAlgorithm {
  if (text === null || text === "sha256") return "sha256";
  if (text === "sha512") return text;
  throw refusal("DIGEST_INVALID", `digest algorithm ${text}: not one of sha256, sha512`);
}
