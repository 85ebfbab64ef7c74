import type { Descriptor } from "../../../formats/oci-image.ts";
import type { TarEntry } from "../../../formats/tar/tar-entry.ts";
import { type TarInput, writeTar } from "../../../formats/tar/tar-writer.ts";
import type { ContentStore } from "../../content/contract.ts";
import type { Image } from "../../images/contract.ts";
import type { Lease } from "../../leases/leases.ts";
import { outgoingImage, type StoredLayerServices } from "../stored-layers.ts";
import { type ArchiveMember, type PlannedImage, planArchive } from "./plan-archive.ts";
import type { SavedImage } from "./select-images.ts";

export interface ArchiveSave {
  readonly saved: readonly SavedImage[];
  /** Holds the blobs until they are written. */
  readonly lease: Lease;
  /** Brings a layer that is not stored; otherwise says why it cannot. */
  readonly fetch: (image: Image, layer: Descriptor) => Promise<string | undefined>;
  readonly write: (chunk: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Writes an archive of images; blobs go as they are stored, piece by piece. Errors: NotFound for a missing blob. */
export async function saveImages(
  services: StoredLayerServices,
  { saved, lease, fetch, write, signal }: ArchiveSave,
): Promise<void> {
  const planned: PlannedImage[] = [];
  for (const { image, tags, index } of saved) {
    if (index !== undefined) lease.holdBlob(index.digest);
    const outgoing = await outgoingImage(services, image, image.manifest, lease, {
      fetch: (layer) => fetch(image, layer),
      isExact: index !== undefined,
    });
    planned.push({ ...outgoing, tags, index });
  }
  const present = planArchive(planned).filter(
    (member) => member.kind !== "blob" || services.content.has(member.blob.digest),
  );
  for await (const chunk of writeTar(present.map((member) => tarInput(services.content, member)))) {
    signal.throwIfAborted();
    await write(chunk);
  }
}

function tarInput(content: ContentStore, member: ArchiveMember): TarInput {
  switch (member.kind) {
    case "directory":
      return { entry: entryOf(member.path, "directory", 0) };
    case "text": {
      const bytes = new TextEncoder().encode(member.text);
      return { entry: entryOf(member.path, "file", bytes.length), content: [bytes] };
    }
    case "blob": {
      const { digest, size } = member.blob;
      return { entry: entryOf(member.path, "file", size), content: content.readStream(digest) };
    }
  }
}

function entryOf(path: string, type: "file" | "directory", size: number): TarEntry {
  return {
    type,
    path,
    linkPath: "",
    mode: type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: { seconds: 0, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  };
}
