import { receivedRange } from "../byte-range.ts";
import type { Reply } from "../reply.ts";
import type { UploadName } from "../upload-store.ts";

/** The headers that tell a client where and from which byte to go on. */
export function uploadHeaders(upload: UploadName, offset: number): Reply["headers"] {
  return {
    Location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    Range: receivedRange(offset),
    "Docker-Upload-UUID": upload.id,
  };
}
