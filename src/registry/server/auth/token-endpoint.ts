import type { IncomingHttpHeaders } from "node:http";
import { readLimited } from "../read-limited.ts";
import { errorReply, refusal } from "../registry-error.ts";
import { jsonReply, type RegistryRequest, type Reply } from "../reply.ts";
import { type Access, formatScopes, parseScopes } from "./access.ts";
import type { AccessList } from "./access-list.ts";
import { basicChallenge } from "./basic-guard.ts";
import type { BasicAuth } from "./htpasswd.ts";
import { type TokenIssuer, tokenLifeSeconds } from "./token-issuer.ts";

export const tokenPath = "/token";
const maxFormBytes = 64 << 10;

export interface TokenEndpointOptions {
  readonly auth: BasicAuth;
  readonly list: AccessList;
  readonly issuer: TokenIssuer;
  readonly service: string;
}

/** A request that no guard has seen. */
type TokenRequest = Omit<RegistryRequest, "grant">;

/** Who asks; `user` is undefined without a login. */
interface Asker {
  readonly user: string | undefined;
}

/**
 * Gives tokens to the users of an htpasswd file: `GET /token` with name and password, and `POST /token` with a form.
 * A token holds what was asked for as far as the access list allows it, so perhaps nothing.
 * Spec: distribution's "Token Authentication Specification" and "OAuth2 Token Authentication" (RFC 6749).
 */
export class TokenEndpoint {
  constructor(private readonly options: TokenEndpointOptions) {}

  async answer(request: TokenRequest): Promise<Reply> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        return await this.answerGet(request);
      case "POST":
        return await this.answerPost(request);
      default:
        return errorReply(refusal("UNSUPPORTED", `${request.method} is not supported for ${tokenPath}`), {
          Allow: "GET, HEAD, POST",
        });
    }
  }

  private async answerGet({ headers, query }: TokenRequest): Promise<Reply> {
    if (this.isForeign(query)) return wrongService(query);
    const asker = await this.askerOf(headers);
    if (!asker) {
      const isNobody = headers.authorization === undefined;
      const message = isNobody ? "authentication required" : "incorrect username or password";
      return errorReply(refusal("UNAUTHORIZED", message), basicChallenge);
    }
    const { token, granted, ...times } = this.issue(asker, query);
    const offline = query.get("offline_token") === "true" && this.refresh(asker.user, times.nowSeconds);
    return jsonReply(200, {
      token,
      access_token: token,
      expires_in: tokenLifeSeconds,
      issued_at: times.issuedAt,
      ...(offline && { refresh_token: offline }),
    });
  }

  private async askerOf({ authorization }: IncomingHttpHeaders): Promise<Asker | undefined> {
    if (authorization === undefined)
      return this.options.list.admitsAnonymous ? { user: undefined } : undefined;
    const user = await this.options.auth.userOf(authorization);
    return user === undefined ? undefined : { user };
  }

  private async answerPost(request: TokenRequest): Promise<Reply> {
    const form = await readForm(request);
    if (!form) return oauthError("invalid_request", `expected a form of at most ${maxFormBytes} bytes`);
    if (this.isForeign(form)) return wrongService(form);
    const grant = form.get("grant_type");
    if (grant !== "password" && grant !== "refresh_token")
      return oauthError("unsupported_grant_type", "expected the grant_type password or refresh_token");
    const user = grant === "password" ? await this.byPassword(form) : this.byRefreshToken(form);
    if (user === undefined) return oauthError("invalid_grant", "incorrect username, password or token", 401);
    const { token, granted, nowSeconds, issuedAt } = this.issue({ user }, form);
    const again = grant === "refresh_token" ? form.get("refresh_token") : undefined;
    const offline = form.get("access_type") === "offline" ? this.refresh(user, nowSeconds) : again;
    return jsonReply(200, {
      access_token: token,
      token_type: "Bearer",
      scope: formatScopes(granted),
      expires_in: tokenLifeSeconds,
      issued_at: issuedAt,
      ...(offline && { refresh_token: offline }),
    });
  }

  private async byPassword(form: URLSearchParams): Promise<string | undefined> {
    const [user, password] = [form.get("username") ?? "", form.get("password") ?? ""];
    return (await this.options.auth.isRight(user, password)) ? user : undefined;
  }

  private byRefreshToken(form: URLSearchParams): string | undefined {
    try {
      const { user, passwordId } = this.options.issuer.readRefreshToken(form.get("refresh_token") ?? "");
      const current = this.options.auth.passwordId(user);
      return current !== undefined && current === passwordId ? user : undefined;
    } catch {
      return undefined;
    }
  }

  private issue({ user }: Asker, asked: URLSearchParams) {
    const { issuer, list } = this.options;
    const wanted = asked.getAll("scope").flatMap(parseScopes);
    const granted: Access[] = wanted
      .map((access) => list.grant(user, access))
      .filter(({ actions }) => actions.length > 0);
    const nowSeconds = Math.floor(Date.now() / 1000);
    return {
      token: issuer.accessToken(user ?? "", granted, nowSeconds),
      granted,
      nowSeconds,
      issuedAt: new Date(nowSeconds * 1000).toISOString().replace(".000Z", "Z"),
    };
  }

  /** Undefined for somebody without a name, who has nothing to remember. */
  private refresh(user: string | undefined, nowSeconds: number): string | undefined {
    const passwordId = user === undefined ? undefined : this.options.auth.passwordId(user);
    if (user === undefined || passwordId === undefined) return undefined;
    return this.options.issuer.refreshToken(user, passwordId, nowSeconds);
  }

  private isForeign(asked: URLSearchParams): boolean {
    const service = asked.get("service");
    return service !== null && service !== this.options.service;
  }
}

function wrongService(asked: URLSearchParams): Reply {
  return oauthError("invalid_request", `unknown service ${asked.get("service")}`);
}

/** RFC 6749, "Error Response", with the registry's errors beside it: clients read one or the other. */
function oauthError(error: string, description: string, status = 400): Reply {
  const code = status === 401 ? "UNAUTHORIZED" : "UNSUPPORTED";
  const errors = [{ code, message: description, detail: null }];
  return jsonReply(status, { error, error_description: description, errors });
}

/** Undefined for another kind of body, and for one that is too long. */
async function readForm({ headers, body }: TokenRequest): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded(?:;|$)/.test(headers["content-type"] ?? "")) return undefined;
  const bytes = await readLimited(body, maxFormBytes);
  return bytes && new URLSearchParams(Buffer.from(bytes).toString("utf8"));
}
