import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { digestAlgorithm } from "../../../formats/digest.ts";
import { ArchiveFiles } from "./archive-files.ts";
import type { ArchivedImage, ReadArchiveOptions } from "./contract.ts";
import { type PlannedImage, planImages } from "./plan-images.ts";

/**
 * Reads an archive of `docker save` or an OCI layout (tar, plain, gzip or zstd) into the content store.
 *
 * In:     the archive's bytes; they are written to a folder of the spool directory on their way, never held in memory.
 * Out:    its images; manifest, config and layer blobs of each are in the store. Layers are not unpacked yet.
 * Errors: InvalidParameter for a broken, incomplete or hostile archive; System for a full disk; Cancelled. What was
 *         stored until then is the caller's to collect: it was held.
 * Spec:   Docker Engine API, "Save and load"; OCI image-spec, "Image Layout".
 */
export async function readImageArchive(
  archive: AsyncIterable<Uint8Array>,
  options: ReadArchiveOptions,
): Promise<ArchivedImage[]> {
  const { spooler, spoolDirectory, signal, platforms, isPlatformWanted } = options;
  const directory = await mkdtemp(join(spoolDirectory, "load-"));
  try {
    const entries = await spooler.spool(archive, directory, { signal });
    const images = planImages(new ArchiveFiles(entries), platforms, isPlatformWanted);
    await storeBlobs(images, options);
    return images.map(({ manifestBytes: _, files: __, ...image }) => image);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function storeBlobs(
  images: readonly PlannedImage[],
  { blobs, hold }: Pick<ReadArchiveOptions, "blobs" | "hold">,
): Promise<void> {
  for (const { files, manifest, manifestBytes } of images) {
    for (const { digest, size, path } of files) {
      hold(digest);
      if (!blobs.has(digest)) await blobs.adopt(path, { digest, size });
    }
    hold(manifest.digest);
    if (!blobs.has(manifest.digest)) await blobs.put(manifestBytes, digestAlgorithm(manifest.digest));
  }
}
