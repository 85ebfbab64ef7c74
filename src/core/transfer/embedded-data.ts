import { digestAlgorithm, digestOf } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The content that a descriptor carries itself. Undefined where it has none, or where that is not what size and digest
 * promise: then it is fetched like any other.
 * Spec: OCI image-spec, "Content Descriptors", data.
 */
export function embeddedContent({ data, size, digest }: Descriptor): Uint8Array | undefined {
  if (data === undefined || data.length !== 4 * Math.ceil(size / 3) || !base64.test(data)) return undefined;
  const bytes = Buffer.from(data, "base64");
  return bytes.length === size && digestOf(bytes, digestAlgorithm(digest)) === digest ? bytes : undefined;
}
