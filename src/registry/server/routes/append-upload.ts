import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";
import { appendChunk } from "./append-chunk.ts";
import { uploadHeaders } from "./upload-location.ts";

/** `PATCH /v2/NAME/blobs/uploads/ID`: more bytes; with Content-Range a chunk that must follow what was received. */
export const appendUpload: Handler = async (request, { repository, reference }, { uploads }) => {
  const upload = { repository, id: reference };
  const result = await appendChunk(request, upload, uploads);
  return typeof result === "number" ? emptyReply(202, uploadHeaders(upload, result)) : result;
};
