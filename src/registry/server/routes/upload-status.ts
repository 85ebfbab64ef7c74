import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";
import { uploadHeaders } from "./upload-location.ts";

/** `GET /v2/NAME/blobs/uploads/ID`: how much was received. */
export const uploadStatus: Handler = async (_request, { repository, reference }, { uploads }) => {
  const upload = { repository, id: reference };
  return emptyReply(204, uploadHeaders(upload, await uploads.offset(upload)));
};
