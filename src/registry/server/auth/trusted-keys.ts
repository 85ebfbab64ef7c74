import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { invalidParameter, messageOf } from "../../../errors/platform-error.ts";
import { JsonFields } from "../../../formats/json-fields.ts";

/** More certificates than a chain has. */
const maxChain = 8;

/** The keys whose signatures on tokens count: by id, or by a chain of certificates that ends at a trusted one. */
export class TrustedKeys {
  constructor(
    private readonly byId: ReadonlyMap<string, KeyObject>,
    private readonly roots: readonly X509Certificate[] = [],
  ) {}

  /** RFC 7517, "JWK Set Format". A key without `kid` has its thumbprint. Errors: InvalidParameter. */
  static fromJwks(text: string, name: string): TrustedKeys {
    const byId = new Map<string, KeyObject>();
    for (const fields of JsonFields.parse(name, text).requiredObjects("keys")) {
      const jwk = Object.fromEntries(
        ["kty", "crv", "x", "y", "n", "e"].flatMap((field) => {
          const value = fields.string(field);
          return value === undefined ? [] : [[field, value]];
        }),
      );
      const key = readKey(name, () => createPublicKey({ key: jwk, format: "jwk" }));
      byId.set(fields.string("kid") ?? thumbprint(key), key);
    }
    if (byId.size === 0) throw invalidParameter(`${name}: no key in it`);
    return new TrustedKeys(byId);
  }

  /** PEM certificates: each is a root of chains, and its own key signs by id as well. Errors: InvalidParameter. */
  static fromCertificates(pem: string, name: string): TrustedKeys {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const roots = blocks.map((block) => readKey(name, () => new X509Certificate(block)));
    if (roots.length === 0) throw invalidParameter(`${name}: no certificate in it`);
    const ids = roots.flatMap(({ publicKey }) =>
      [thumbprint(publicKey), libtrustId(publicKey)].map((id) => [id, publicKey] as const),
    );
    return new TrustedKeys(new Map(ids), roots);
  }

  /** The key that a token's header names, if it is to be trusted. */
  find(header: JsonFields, nowMs: number): KeyObject | undefined {
    const chain = header.strings("x5c");
    if (chain !== undefined) return this.verifyChain(chain, nowMs);
    return this.byId.get(header.string("kid") ?? "");
  }

  /** RFC 7515, "x5c": the signer first, each certificate certified by the next, the last one by a root. */
  private verifyChain(encoded: readonly string[], nowMs: number): KeyObject | undefined {
    if (encoded.length === 0 || encoded.length > maxChain) return undefined;
    const chain = encoded.map((der) => new X509Certificate(Buffer.from(der, "base64")));
    const isOld = (certificate: X509Certificate) =>
      nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo);
    if (chain.some(isOld)) return undefined;
    for (const [index, certificate] of chain.entries()) {
      const isRoot = this.roots.some(({ raw }) => raw.equals(certificate.raw));
      const root = this.roots.find((each) => !isOld(each) && isIssuedBy(certificate, each));
      if (isRoot || root !== undefined) return chain[0]?.publicKey;
      const next = chain[index + 1];
      if (next === undefined || !isIssuedBy(certificate, next)) return undefined;
    }
    return undefined;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function readKey<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalidParameter(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** RFC 7638: the SHA-256 of the key's required members, in lexical order. */
export function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: "jwk" });
  return createHash("sha256").update(JSON.stringify({ crv, e, kty, n, x, y })).digest("base64url");
}

/** The `kid` of token servers of Docker's registry 2: 240 bits of the key's SHA-256 in twelve groups of base32. */
function libtrustId(key: KeyObject): string {
  const hash = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
  return (base32(hash.subarray(0, 30)).match(/.{4}/g) ?? []).join(":");
}

/** RFC 4648, "Base 32 Encoding", of a multiple of five bytes. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return (bits.match(/.{5}/g) ?? []).map((five) => letters[Number.parseInt(five, 2)]).join("");
}
