import { parseChunkRange } from "../byte-range.ts";
import { errorReply, refusal, registryCode } from "../registry-error.ts";
import type { RegistryRequest, Reply } from "../reply.ts";
import type { UploadName, UploadStore } from "../upload-store.ts";
import { uploadHeaders } from "./upload-location.ts";

/**
 * Appends the body of a PATCH or PUT to an upload. A chunk out of order is answered with 416 and with what was
 * received, so that the client can go on from there.
 */
export async function appendChunk(
  request: RegistryRequest,
  upload: UploadName,
  uploads: UploadStore,
): Promise<number | Reply> {
  const header = request.headers["content-range"];
  try {
    if (header === undefined) return await uploads.append(upload, request.body);
    const chunk = parseChunkRange(header);
    if (chunk === undefined) throw refusal("RANGE_INVALID", `Content-Range ${header}: expected FIRST-LAST`);
    const length = request.headers["content-length"];
    if (length !== undefined && Number(length) !== chunk.end - chunk.start)
      throw refusal("SIZE_INVALID", `Content-Range ${header} does not have ${length} bytes`);
    return await uploads.append(upload, request.body, chunk);
  } catch (error) {
    if (registryCode(error) !== "RANGE_INVALID") throw error;
    return errorReply(error, uploadHeaders(upload, await uploads.offset(upload)));
  }
}
