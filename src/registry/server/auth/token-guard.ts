import type { IncomingHttpHeaders } from "node:http";
import { jsonReply, type Reply } from "../reply.ts";
import { type Access, formatScopes, type Grant } from "./access.ts";
import type { Guard } from "./guard.ts";
import { type TokenRules, verifyToken } from "./json-web-token.ts";

export interface TokenGuardOptions {
  readonly rules: TokenRules;
  /** The URL where clients get tokens, as the sender of these headers reaches it. */
  readonly realm: (headers: IncomingHttpHeaders) => string;
  readonly service: string;
}

/**
 * Takes the tokens of a token server, its own or another.
 * Spec: distribution's "Token Authentication Specification"; RFC 6750, "The WWW-Authenticate Response Header Field".
 */
export class TokenGuard implements Guard {
  constructor(private readonly options: TokenGuardOptions) {}

  async admit({ authorization }: IncomingHttpHeaders): Promise<Grant | undefined> {
    const [, token] = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? "") ?? [];
    if (token === undefined) return undefined;
    try {
      const { access } = verifyToken(token, this.options.rules);
      return { allows: (wanted) => isCovered(wanted, access) };
    } catch {
      return undefined;
    }
  }

  /** 401 also for a token that is too weak: the client asks for another one. */
  refuse(headers: IncomingHttpHeaders, required: readonly Access[], grant: Grant | undefined): Reply {
    const { realm, service } = this.options;
    const parameters = [
      ["realm", realm(headers)],
      ["service", service],
      ...(required.length > 0 ? [["scope", formatScopes(required)]] : []),
      ...(grant ? [["error", "insufficient_scope"]] : []),
      ...(!grant && headers.authorization !== undefined ? [["error", "invalid_token"]] : []),
    ];
    const challenge = parameters.map(([name, value]) => `${name}="${value}"`).join(",");
    const detail = required.flatMap(({ type, name, actions }) =>
      actions.map((action) => ({ Type: type, Class: "", Name: name, Action: action })),
    );
    const error = { code: "UNAUTHORIZED", message: "authentication required", detail };
    return jsonReply(401, { errors: [error] }, { "WWW-Authenticate": `Bearer ${challenge}` });
  }
}

function isCovered(wanted: Access, given: readonly Access[]): boolean {
  const actions = given
    .filter(({ type, name }) => type === wanted.type && name === wanted.name)
    .flatMap((access) => access.actions);
  return actions.includes("*") || wanted.actions.every((action) => actions.includes(action));
}
