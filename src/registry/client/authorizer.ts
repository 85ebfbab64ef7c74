import type { RegistryCredentials } from "../../core/transfer/contract.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { digestOf } from "../../formats/digest.ts";
import { basicHeader } from "./basic-header.ts";
import type { Challenge } from "./parse-challenges.ts";
import type { Trust } from "./registry-endpoint.ts";
import { requestToken } from "./request-token.ts";
import { shownRequest } from "./shown-request.ts";
import type { TokenCache, TokenKey } from "./token-cache.ts";
import type { HttpRequest, Transport } from "./transport.ts";

/**
 * Finds the Authorization header for one repository and one set of credentials. It knows nothing until the
 * registry has asked for something once; from then on it sends it with each request.
 */
export class Authorizer {
  private challenge: Challenge | undefined;
  /** What a token server gave at a login to be kept in the password's place. */
  identityToken: string | undefined;
  private readonly account: string;

  constructor(
    private readonly transport: Transport,
    private readonly tokens: TokenCache,
    private readonly credentials: RegistryCredentials | undefined,
    /** What is asked for where the registry does not say it: `repository:library/busybox:pull`. */
    private readonly scope: string,
    /** Whether `scope` is asked for whatever the registry says: a push begins with a look, and writes later. */
    private readonly isScopeFixed: boolean,
    private readonly isLogin = false,
  ) {
    this.account = credentials ? digestOf(JSON.stringify(credentials)) : "";
  }

  /** The header by what is known; undefined while nothing was asked for. */
  async header(trust: Trust, signal: AbortSignal): Promise<string | undefined> {
    return this.challenge && this.answer(this.challenge, trust, signal);
  }

  /**
   * The header after a 401 to `request`, by the strongest challenge that can be answered.
   * Errors: Unauthorized when there is nothing to answer with.
   */
  async afterChallenge(challenges: readonly Challenge[], request: HttpRequest): Promise<string | undefined> {
    const refused = this.challenge;
    const challenge =
      challenges.find(({ scheme }) => scheme === "bearer") ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic" && !basicHeader(this.credentials)) throw noBasicCredentials(request);
    this.challenge = challenge;
    if (refused) this.tokens.forget(this.tokenKey(refused));
    return this.answer(challenge, request.trust, request.signal);
  }

  private async answer(challenge: Challenge, trust: Trust, signal: AbortSignal): Promise<string | undefined> {
    if (challenge.scheme === "basic") return basicHeader(this.credentials);
    if (this.credentials?.registrytoken) return `Bearer ${this.credentials.registrytoken}`;
    const key = this.tokenKey(challenge);
    // A login asks whether the credentials are good now.
    const known = this.isLogin ? undefined : this.tokens.get(key);
    if (known !== undefined) return `Bearer ${known}`;
    const { token, lifeMs, identityToken } = await requestToken(this.transport, {
      ...key,
      credentials: this.credentials,
      trust,
      isLogin: this.isLogin,
      signal,
    });
    this.tokens.put(key, token, lifeMs);
    this.identityToken = identityToken;
    return `Bearer ${token}`;
  }

  private tokenKey({ parameters }: Challenge): TokenKey {
    return {
      realm: parameters.realm ?? "",
      service: parameters.service ?? "",
      scope: this.isScopeFixed ? this.scope : (parameters.scope ?? this.scope),
      account: this.account,
    };
  }
}

function noBasicCredentials(request: HttpRequest): PlatformError {
  return new PlatformError("Unauthorized", `${shownRequest(request)}: no basic auth credentials`, {
    code: "registry.no-credentials",
    hint: "log in to the registry first",
  });
}
