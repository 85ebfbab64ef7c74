import { type Digest, digestAlgorithm, digestHex, isDigest } from "../../formats/digest.ts";

/** `sha256-<hex>`: a digest as a name without a colon. */
export const fileNameOf = (digest: Digest): string => `${digestAlgorithm(digest)}-${digestHex(digest)}`;

/** Undefined for any other name. */
export function digestOfFileName(name: string): Digest | undefined {
  const digest = name.replace("-", ":");
  return isDigest(digest) ? digest : undefined;
}
