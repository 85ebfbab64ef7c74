import { findBlob } from "../blob-source.ts";
import { parseByteRange } from "../byte-range.ts";
import { checkDigest } from "../names.ts";
import { checkPreconditions, isUnchanged } from "../preconditions.ts";
import { errorReply, refusal } from "../registry-error.ts";
import { emptyReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `GET`, `HEAD /v2/NAME/blobs/DIGEST`, whole or one range of it. */
export const getBlob: Handler = async (request, { repository, reference }, registry) => {
  const digest = checkDigest(reference);
  const { size, open } = await findBlob(registry, repository, digest);
  const etag = `"${digest}"`;
  const headers = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "max-age=31536000",
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    ETag: etag,
  };
  checkPreconditions(request, etag);
  if (isUnchanged(request, etag)) return emptyReply(304, headers);
  const condition = request.headers["if-range"];
  const wanted = condition === undefined || condition === etag ? request.headers.range : undefined;
  const range = request.method === "HEAD" ? undefined : parseByteRange(wanted, size);
  if (range === "unsatisfiable") {
    const error = refusal("RANGE_INVALID", `${wanted} is not within the ${size} bytes of ${digest}`);
    return errorReply(error, { "Content-Range": `bytes */${size}` });
  }
  const { start, end } = range ?? { start: 0, end: size };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...headers,
      "Content-Length": String(end - start),
      ...(range && { "Content-Range": `bytes ${range.start}-${range.end - 1}/${size}` }),
    },
    ...(request.method !== "HEAD" && end > start && { body: await open({ start, end }) }),
  };
};
