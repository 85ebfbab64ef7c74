import { checkDigest } from "../names.ts";
import { refusal } from "../registry-error.ts";
import type { Handler } from "../route.ts";
import { appendChunk } from "./append-chunk.ts";
import { blobCreated } from "./blob-created.ts";

/** `PUT /v2/NAME/blobs/uploads/ID?digest=D`: the last bytes, or none, and the digest of all. */
export const finishUpload: Handler = async (request, { repository, reference }, { uploads }) => {
  const upload = { repository, id: reference };
  await uploads.offset(upload); // an unknown upload is the first thing to tell
  const wanted = request.query.get("digest");
  if (wanted === null) throw refusal("DIGEST_INVALID", "the digest of the blob is missing");
  const digest = checkDigest(wanted);
  const result = await appendChunk(request, upload, uploads);
  if (typeof result !== "number") return result;
  await uploads.finish(upload, digest);
  return blobCreated(repository, digest);
};
