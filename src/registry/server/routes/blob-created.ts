import type { Digest } from "../../../core/content/contract.ts";
import { emptyReply, type Reply } from "../reply.ts";

/** The repository has the blob now. */
export function blobCreated(repository: string, digest: Digest): Reply {
  return emptyReply(201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    "Docker-Content-Digest": digest,
  });
}
