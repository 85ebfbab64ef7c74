import { createHash, type Hash } from "node:crypto";
import { invalidParameter } from "../errors/platform-error.ts";

/** `algorithm:encoded`, e.g. `sha256:` and 64 lower-case hex digits. OCI image-spec, "Digests". */
export type Digest = `sha256:${string}` | `sha512:${string}`;

export type DigestAlgorithm = "sha256" | "sha512";

const hexLength: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };
const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

export function isDigest(text: string): text is Digest {
  return digestProblem(text) === undefined;
}

/** Errors: InvalidParameter in the words of the digest library that Docker uses. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalidParameter(`${digestProblem(text)}: "${text}"`, { code: "digest.invalid" });
}

/** Why a text is no digest, in the words of the digest library that Docker uses; undefined if it is one. */
export function digestProblem(text: string): string | undefined {
  if (!grammar.test(text)) return "invalid checksum digest format";
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  if (!isAlgorithm(algorithm)) return "unsupported digest algorithm";
  const encoded = text.slice(colon + 1);
  if (encoded.length !== hexLength[algorithm]) return "invalid checksum digest length";
  return /^[0-9a-f]+$/.test(encoded) ? undefined : "invalid checksum digest format";
}

function isAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(hexLength, text);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The part after the colon: lower-case hex. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The first twelve hex digits, as Docker's clients show an id. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

/** Hashes bytes that come in pieces. */
export interface Digester {
  update(chunk: Uint8Array): void;
  /** Ends the digester. */
  digest(): Digest;
}

export function createDigester(algorithm: DigestAlgorithm = "sha256"): Digester {
  const hash: Hash = createHash(algorithm);
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    digest: () => `${algorithm}:${hash.digest("hex")}`,
  };
}

/** For small content (manifests, configs); 0.6 ms for each MB on the calling thread. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}
