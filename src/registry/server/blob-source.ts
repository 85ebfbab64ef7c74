import type { Digest } from "../../formats/digest.ts";
import type { ByteRange } from "./byte-range.ts";
import type { Registry } from "./registry.ts";
import { refusal } from "./registry-error.ts";

/** A blob that can be sent. */
export interface BlobSource {
  readonly size: number;
  /** Begins to fetch it where it is not here yet. Errors: UNAVAILABLE. */
  open(range: ByteRange): Promise<AsyncIterable<Uint8Array>>;
}

/** Errors: BLOB_UNKNOWN; of a cache also DENIED, UNAVAILABLE. */
export async function findBlob(registry: Registry, name: string, digest: Digest): Promise<BlobSource> {
  const { repositories, content, cache } = registry;
  const here = (range: ByteRange) => content.readStream(digest, range);
  const size = (await repositories.touch(name, "blob", digest)) ? content.size(digest) : undefined;
  if (size !== undefined) return { size, open: async (range) => here(range) };
  if (!cache) throw refusal("BLOB_UNKNOWN", `${name} has no blob ${digest}`);
  const sizeUpstream = await cache.blobSize(name, digest);
  return {
    size: sizeUpstream,
    open: async (range) => {
      const fetch = await cache.fetchBlob(name, digest, sizeUpstream);
      return fetch ? fetch.read(range) : here(range);
    },
  };
}
