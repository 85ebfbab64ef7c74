import { type KeyObject, sign, verify } from "node:crypto";
import { PlatformError } from "../../../errors/platform-error.ts";
import { JsonFields } from "../../../formats/json-fields.ts";
import type { Access } from "./access.ts";
import { type TrustedKeys, thumbprint } from "./trusted-keys.ts";

/** Clocks of two machines may differ by so much. */
const leewaySeconds = 60;
const maxTokenLength = 64 << 10;

/** RFC 7518, "Digital Signature Algorithm Values", and RFC 8037: the hash, and the kind of key that it takes. */
const algorithms: Readonly<Record<string, { hash: string | null; type: string; curve?: string }>> = {
  RS256: { hash: "sha256", type: "rsa" },
  RS384: { hash: "sha384", type: "rsa" },
  RS512: { hash: "sha512", type: "rsa" },
  ES256: { hash: "sha256", type: "ec", curve: "prime256v1" },
  ES384: { hash: "sha384", type: "ec", curve: "secp384r1" },
  ES512: { hash: "sha512", type: "ec", curve: "secp521r1" },
  EdDSA: { hash: null, type: "ed25519" },
};

export interface TokenRules {
  readonly keys: TrustedKeys;
  /** What `iss` has to be. */
  readonly issuer: string;
  /** What `aud` has to be, or to hold. */
  readonly audience: string;
}

/** The claims that count here. RFC 7519; distribution's "Docker Registry v2 Bearer token specification". */
export interface TokenClaims {
  /** Empty for somebody who has not logged in. */
  readonly subject: string;
  readonly access: readonly Access[];
  /** Of a refresh token: which password it stands for. */
  readonly passwordId: string | undefined;
}

/** Errors: Unauthorized for every token that is not right at `nowMs`: form, algorithm, key, signature, claims. */
export function verifyToken(token: string, rules: TokenRules, nowMs = Date.now()): TokenClaims {
  try {
    return readClaims(verifySignature(token, rules.keys, nowMs), rules, nowMs / 1000);
  } catch (error) {
    throw new PlatformError("Unauthorized", "invalid token", { cause: error });
  }
}

/** The payload, once the signature is right. */
function verifySignature(token: string, keys: TrustedKeys, nowMs: number): JsonFields {
  if (token.length > maxTokenLength) throw new Error("too long");
  const [, head = "", payload = "", signature = ""] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
  const header = decodePart("header", head);
  if (header.has("crit")) throw new Error("critical extensions are not understood"); // RFC 7515, "crit"
  const algorithm = header.requiredString("alg");
  const wanted = Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm] : undefined;
  const key = keys.find(header, nowMs);
  if (!wanted || !key) throw new Error("unknown algorithm or key");
  // The key decides which algorithm is possible, never the token alone.
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const isFitting = wanted.type === asymmetricKeyType && wanted.curve === asymmetricKeyDetails?.namedCurve;
  const signed = Buffer.from(`${head}.${payload}`);
  const bytes = Buffer.from(signature, "base64url");
  if (!isFitting || !verify(wanted.hash, signed, { key, dsaEncoding: "ieee-p1363" }, bytes))
    throw new Error("the signature is wrong");
  return decodePart("payload", payload);
}

function decodePart(name: string, encoded: string): JsonFields {
  return JsonFields.parse(name, Buffer.from(encoded, "base64url"));
}

function readClaims(payload: JsonFields, { issuer, audience }: TokenRules, now: number): TokenClaims {
  if (payload.requiredString("iss") !== issuer) throw new Error("another issuer");
  if (!audiences(payload).includes(audience)) throw new Error("for somebody else");
  const [notBefore, expires] = [payload.wholeNumber("nbf"), payload.wholeNumber("exp")];
  if (expires === undefined || now > expires + leewaySeconds) throw new Error("expired");
  if (notBefore !== undefined && now < notBefore - leewaySeconds) throw new Error("not valid yet");
  return {
    subject: payload.string("sub") ?? "",
    access: (payload.objects("access") ?? []).map((entry) => ({
      type: entry.requiredString("type"),
      name: entry.requiredString("name"),
      actions: entry.strings("actions") ?? [],
    })),
    passwordId: payload.string("pwd"),
  };
}

/** RFC 7519, "aud": one or several. */
function audiences(payload: JsonFields): readonly string[] {
  try {
    return payload.strings("aud") ?? [];
  } catch {
    return [payload.requiredString("aud")];
  }
}

/** A token that is signed with EdDSA; `privateKey` is of Ed25519. */
export function signToken(claims: object, privateKey: KeyObject, publicKey: KeyObject): string {
  const header = { typ: "JWT", alg: "EdDSA", kid: thumbprint(publicKey) };
  const [head, payload] = [header, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = sign(null, Buffer.from(`${head}.${payload}`), privateKey).toString("base64url");
  return `${head}.${payload}.${signature}`;
}
