import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../../formats/digest.ts";
import { ArchiveFiles } from "./archive-files.ts";
import type { ArchiveBlobs, ArchivedImage, ReadArchiveOptions } from "./contract.ts";
import { type PlannedImage, planImages } from "./plan-images.ts";

/**
 * Reads an archive of `docker save` or an OCI layout (tar, plain, gzip or zstd) into the content store.
 *
 * In:     the archive's bytes; they are written to a folder of the spool directory on their way, never held in memory.
 * Out:    its images; manifest, config and layer blobs of each are in the store. Layers are not unpacked yet.
 * Errors: InvalidParameter for a broken, incomplete or hostile archive; System for a full disk; Cancelled. Blobs that
 *         the store did not have before are removed again then.
 * Spec:   Docker Engine API, "Save and load"; OCI image-spec, "Image Layout".
 */
export async function readImageArchive(
  archive: AsyncIterable<Uint8Array>,
  options: ReadArchiveOptions,
): Promise<ArchivedImage[]> {
  const { spooler, spoolDirectory, signal, onProgress, platform, isPlatformWanted, blobs } = options;
  const directory = await mkdtemp(join(spoolDirectory, "load-"));
  try {
    const entries = await spooler.spool(archive, directory, { signal, onProgress });
    const images = planImages(new ArchiveFiles(entries), platform, isPlatformWanted);
    await storeBlobs(images, blobs);
    return images.map(({ manifestBytes: _, files: __, ...image }) => image);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** All or nothing. */
async function storeBlobs(images: readonly PlannedImage[], blobs: ArchiveBlobs): Promise<void> {
  const added: Digest[] = [];
  try {
    for (const { files, manifest, manifestBytes } of images) {
      for (const { digest, size, path } of files) {
        if (blobs.has(digest)) continue;
        await blobs.adopt(path, { digest, size });
        added.push(digest);
      }
      if (blobs.has(manifest.digest)) continue;
      added.push(await blobs.put(manifestBytes));
    }
  } catch (error) {
    for (const digest of added) await blobs.remove(digest);
    throw error;
  }
}
