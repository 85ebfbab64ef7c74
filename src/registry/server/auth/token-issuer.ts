import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { messageOf, systemError } from "../../../errors/platform-error.ts";
import type { Access } from "./access.ts";
import { signToken, type TokenRules, verifyToken } from "./json-web-token.ts";
import { TrustedKeys, thumbprint } from "./trusted-keys.ts";

/** Long enough for a push of many layers; a client asks anew in a moment. */
export const tokenLifeSeconds = 300;
const refreshLifeSeconds = 365 * 24 * 3600;

export interface IssuerOptions {
  /** A PEM file with the key that signs; made at the first start. */
  readonly keyPath: string;
  readonly issuer: string;
  readonly service: string;
}

/** Makes the tokens of a registry that is its own token server. Nothing is kept: a token proves itself. */
export class TokenIssuer {
  /** By which its tokens are verified. */
  readonly rules: TokenRules;
  private readonly refreshRules: TokenRules;
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor(private readonly options: IssuerOptions) {
    this.privateKey = loadOrCreateKey(options.keyPath);
    this.publicKey = createPublicKey(this.privateKey);
    const keys = new TrustedKeys(new Map([[thumbprint(this.publicKey), this.publicKey]]));
    this.rules = { keys, issuer: options.issuer, audience: options.service };
    // Another audience: nobody opens a repository with it.
    this.refreshRules = { ...this.rules, audience: `${options.service} token endpoint` };
  }

  /** A token for the registry. `user` is empty for somebody who has not logged in. */
  accessToken(user: string, access: readonly Access[], nowSeconds: number): string {
    return this.sign({ sub: user, aud: this.rules.audience, access }, nowSeconds, tokenLifeSeconds);
  }

  /** A token that gets tokens, until the password is another one. */
  refreshToken(user: string, passwordId: string, nowSeconds: number): string {
    const claims = { sub: user, aud: this.refreshRules.audience, pwd: passwordId };
    return this.sign(claims, nowSeconds, refreshLifeSeconds);
  }

  /** Errors: Unauthorized. */
  readRefreshToken(token: string): { user: string; passwordId: string | undefined } {
    const { subject, passwordId } = verifyToken(token, this.refreshRules);
    return { user: subject, passwordId };
  }

  private sign(claims: object, nowSeconds: number, lifeSeconds: number): string {
    const { issuer } = this.options;
    const times = { iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + lifeSeconds };
    return signToken(
      { iss: issuer, ...claims, ...times, jti: randomUUID() },
      this.privateKey,
      this.publicKey,
    );
  }
}

/** Errors: System naming the file. */
function loadOrCreateKey(path: string): KeyObject {
  if (existsSync(path)) return loadKey(path);
  const { privateKey } = generateKeyPairSync("ed25519");
  // Under its name only as a whole: half a key would keep the registry from ever starting again.
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flush: true });
  renameSync(draft, path);
  return privateKey;
}

function loadKey(path: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(path));
  } catch (cause) {
    throw systemError(`${path}: not a private key: ${messageOf(cause)}`, {
      cause,
      hint: "move it away, and a new one is made; whoever is logged in then logs in again",
    });
  }
}
