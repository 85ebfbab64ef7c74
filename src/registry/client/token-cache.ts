/** What a token is good for: RFC 6750 and Docker's "Token Authentication" together. */
export interface TokenKey {
  readonly realm: string;
  readonly service: string;
  readonly scope: string;
  /** Tells apart who asked; never the secret itself. */
  readonly account: string;
}

/** Tokens of registries until they expire. */
export class TokenCache {
  private readonly tokens = new Map<string, { token: string; expiresAtMs: number }>();

  constructor(private readonly nowMs: () => number = Date.now) {}

  get(key: TokenKey): string | undefined {
    const text = keyText(key);
    const entry = this.tokens.get(text);
    if (entry && entry.expiresAtMs > this.nowMs()) return entry.token;
    this.tokens.delete(text);
    return undefined;
  }

  /** Counts a tenth of the life as gone, for clocks that differ and requests that take time. */
  put(key: TokenKey, token: string, lifeMs: number): void {
    this.tokens.set(keyText(key), { token, expiresAtMs: this.nowMs() + lifeMs * 0.9 });
  }

  /** A registry refused the token before its time. */
  forget(key: TokenKey): void {
    this.tokens.delete(keyText(key));
  }
}

function keyText({ realm, service, scope, account }: TokenKey): string {
  return JSON.stringify([realm, service, scope, account]);
}
