import { type Descriptor, mediaTypes } from "./oci-image.ts";

/** Docker's names of what OCI has its own names for; the bytes are the same. OCI image-spec, "Compatibility Matrix". */
const ociTypes = new Map<string, string>([
  [mediaTypes.dockerConfig, mediaTypes.ociConfig],
  [mediaTypes.dockerLayer, mediaTypes.ociLayer],
  [mediaTypes.dockerLayerGzip, mediaTypes.ociLayerGzip],
  [mediaTypes.dockerLayerZstd, mediaTypes.ociLayerZstd],
  [mediaTypes.dockerForeignLayerGzip, mediaTypes.ociForeignLayerGzip],
]);

/** A config or a layer under the name that an OCI manifest has for it; other media types stay. */
export const inOciType = (blob: Descriptor): Descriptor => ({
  ...blob,
  mediaType: ociTypes.get(blob.mediaType) ?? blob.mediaType,
});
