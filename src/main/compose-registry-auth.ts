import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { invalidParameter } from "../errors/platform-error.ts";
import { AccessList } from "../registry/server/auth/access-list.ts";
import { BasicGuard } from "../registry/server/auth/basic-guard.ts";
import { openGuard } from "../registry/server/auth/guard.ts";
import { BasicAuth, parseHtpasswd } from "../registry/server/auth/htpasswd.ts";
import { TokenEndpoint, tokenPath } from "../registry/server/auth/token-endpoint.ts";
import { TokenGuard } from "../registry/server/auth/token-guard.ts";
import { TokenIssuer } from "../registry/server/auth/token-issuer.ts";
import { TrustedKeys } from "../registry/server/auth/trusted-keys.ts";
import type { RegistryAuth } from "../registry/server/create-registry-server.ts";
import { readText } from "./read-text.ts";
import type { RegistryAuthOptions } from "./registry-auth-options.ts";

/** Reads the files that the options name. `root` keeps the key of a registry's own tokens. Errors: name the file. */
export function composeRegistryAuth(
  options: RegistryAuthOptions,
  { root, scheme }: { readonly root: string; readonly scheme: "http" | "https" },
): RegistryAuth {
  switch (options.kind) {
    case "open":
      return { guard: openGuard };
    case "basic": {
      const list = readAccessList(options.accessList);
      if (list.admitsAnonymous) {
        throw invalidParameter(`${options.accessList}: anonymous needs --auth-token`, {
          hint: "without tokens a client logs in for everything, or for nothing",
        });
      }
      return { guard: new BasicGuard(readUsers(options.htpasswd, list), list) };
    }
    case "own-tokens": {
      const { service, issuer: name } = options;
      const issuer = new TokenIssuer({ keyPath: join(root, "token-key.pem"), issuer: name, service });
      const list = readAccessList(options.accessList);
      const realm = (headers: IncomingHttpHeaders) =>
        options.realm ?? `${originFor(headers, scheme)}${tokenPath}`;
      return {
        guard: new TokenGuard({ rules: issuer.rules, realm, service }),
        tokens: new TokenEndpoint({
          auth: readUsers(options.htpasswd, list),
          list,
          issuer,
          service,
        }),
      };
    }
    case "foreign-tokens": {
      const { realm, service, issuer, keys } = options;
      const text = readText(keys.path);
      const trusted =
        keys.form === "jwks"
          ? TrustedKeys.fromJwks(text, keys.path)
          : TrustedKeys.fromCertificates(text, keys.path);
      const rules = { keys: trusted, issuer, audience: service };
      return { guard: new TokenGuard({ rules, realm: () => realm, service }) };
    }
  }
}

function readUsers(path: string, list: AccessList): BasicAuth {
  const users = parseHtpasswd(readText(path), path);
  if (users.size === 0 && !list.admitsAnonymous)
    throw invalidParameter(`${path}: nobody is in it who could log in`, {
      hint: "add users with `htpasswd -B`",
    });
  return new BasicAuth(users);
}

function readAccessList(path: string | undefined): AccessList {
  return path === undefined ? AccessList.everyUser : AccessList.parse(readText(path), path);
}

/**
 * Scheme and host by which the client came; a proxy in front that ends TLS says them in `X-Forwarded-*`. They go into a
 * header between quotation marks, and only to whoever sent them.
 */
function originFor(headers: IncomingHttpHeaders, scheme: "http" | "https"): string {
  const forwarded = (name: string) =>
    String(headers[name] ?? "")
      .split(",", 1)[0]
      ?.trim() ?? "";
  const isHost = (text: string) => /^[\w.:[\]-]+$/.test(text);
  const proto = forwarded("x-forwarded-proto").toLowerCase();
  const host = [forwarded("x-forwarded-host"), headers.host ?? ""].find(isHost) ?? "localhost";
  return `${proto === "http" || proto === "https" ? proto : scheme}://${host}`;
}
