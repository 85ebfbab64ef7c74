import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `DELETE /v2/NAME/blobs/uploads/ID`. */
export const cancelUpload: Handler = async (_request, { repository, reference }, { uploads }) => {
  await uploads.cancel({ repository, id: reference });
  return emptyReply(204);
};
