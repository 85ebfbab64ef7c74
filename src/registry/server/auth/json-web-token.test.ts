import { describe, expect, test } from "bun:test";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { signToken, type TokenRules, verifyToken } from "./json-web-token.ts";
import { TrustedKeys } from "./trusted-keys.ts";

const nowMs = Date.parse("2030-01-01T00:00:00Z");
const now = nowMs / 1000;
const access = [{ type: "repository", name: "a", actions: ["pull"] }];
const good = { iss: "me", sub: "ann", aud: "here", exp: now + 60, nbf: now - 60, access };

const pairs = {
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  EdDSA: generateKeyPairSync("ed25519"),
} as const;
const hashes = { RS256: "sha256", ES256: "sha256", ES384: "sha384", EdDSA: null } as const;
type Algorithm = keyof typeof pairs;
const algorithms = Object.keys(pairs) as Algorithm[];

const jwks = JSON.stringify({
  keys: algorithms.map((kid) => ({ ...pairs[kid].publicKey.export({ format: "jwk" }), kid, use: "sig" })),
});
const rules: TokenRules = { keys: TrustedKeys.fromJwks(jwks, "jwks"), issuer: "me", audience: "here" };

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
function make(header: object, claims: object, key: KeyObject, hash: string | null): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
const token = (kid: Algorithm, claims: object = good, header: object = {}) =>
  make({ alg: kid, kid, ...header }, claims, pairs[kid].privateKey, hashes[kid]);

test.each(algorithms)("%s is verified by a key of the set", (kid) => {
  expect(verifyToken(token(kid), rules, nowMs)).toEqual({ subject: "ann", access, passwordId: undefined });
});

test("several audiences, and no access at all, are a token as well", () => {
  const { access: _, ...rest } = good;
  expect(verifyToken(token("EdDSA", { ...rest, aud: ["there", "here"] }), rules, nowMs).access).toEqual([]);
});

describe("refuses", () => {
  const [head = "", , signature = ""] = token("ES256").split(".");
  const rsaPem = pairs.RS256.publicKey.export({ type: "spki", format: "pem" }) as string;
  const hmac = `${encode({ alg: "HS256", kid: "RS256" })}.${encode(good)}`;
  test.each([
    ["nothing", ""],
    ["other claims under a right signature", `${head}.${encode({ ...good, sub: "eve" })}.${signature}`],
    ["no signature", `${encode({ alg: "none" })}.${encode(good)}.`],
    ["alg none with the id of a key", `${encode({ alg: "none", kid: "ES256" })}.${encode(good)}.x`],
    [
      "the public key as a secret",
      `${hmac}.${new Bun.CryptoHasher("sha256", rsaPem).update(hmac).digest("base64url")}`,
    ],
    ["an unknown key", token("ES256", good, { kid: "other" })],
    ["a key of another kind", token("ES256", good, { kid: "EdDSA" })],
    ["a curve that the algorithm does not have", token("ES384", good, { alg: "ES256" })],
    [
      "a key that the token brings along",
      token("ES256", good, { kid: "x", jwk: pairs.ES256.publicKey.export({ format: "jwk" }) }),
    ],
    ["extensions that it does not know", token("ES256", good, { crit: ["exp"] })],
    ["another issuer", token("ES256", { ...good, iss: "you" })],
    ["another audience", token("ES256", { ...good, aud: "there" })],
    ["one that is over", token("ES256", { ...good, exp: now - 61 })],
    ["one that never ends", token("ES256", { ...good, exp: undefined })],
    ["one that has not begun", token("ES256", { ...good, nbf: now + 61 })],
    ["a name of Object.prototype as algorithm", token("ES256", good, { alg: "constructor" })],
    ["one of 65 KiB", token("ES256", { ...good, pad: "x".repeat(65 << 10) })],
  ])("%s", (_what, text) => {
    expect(() => verifyToken(text, rules, nowMs)).toThrow("invalid token");
  });

  test("a signature with the padding of another algorithm", () => {
    const signed = `${encode({ alg: "RS256", kid: "RS256" })}.${encode(good)}`;
    const key = { key: pairs.RS256.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };
    const text = `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
    expect(() => verifyToken(text, rules, nowMs)).toThrow("invalid token");
  });
});

test("what signToken makes is verified by the key's thumbprint", () => {
  const { privateKey, publicKey } = pairs.EdDSA;
  const keys = TrustedKeys.fromJwks(JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }), "jwks");
  const text = signToken(good, privateKey, publicKey);
  expect(verifyToken(text, { ...rules, keys }, nowMs).subject).toBe("ann");
});

test.each([
  ["{}", "keys"],
  ['{"keys":[]}', "no key in it"],
  ['{"keys":[{"kty":"EC","crv":"P-256","x":"?"}]}', "jwks: "],
  ['{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', "jwks: "],
])("the key set %s is refused", (text, message) => {
  expect(() => TrustedKeys.fromJwks(text, "jwks")).toThrow(message);
});
