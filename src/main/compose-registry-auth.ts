import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { invalidParameter } from "../errors/platform-error.ts";
import { AccessList } from "../registry/server/auth/access-list.ts";
import { BasicGuard } from "../registry/server/auth/basic-guard.ts";
import { type Guard, openGuard } from "../registry/server/auth/guard.ts";
import { BasicAuth, parseHtpasswd } from "../registry/server/auth/htpasswd.ts";
import { TokenEndpoint, tokenPath } from "../registry/server/auth/token-endpoint.ts";
import { TokenGuard } from "../registry/server/auth/token-guard.ts";
import { TokenIssuer } from "../registry/server/auth/token-issuer.ts";
import { TrustedKeys } from "../registry/server/auth/trusted-keys.ts";
import { readText } from "./read-text.ts";
import type { RegistryAuthOptions } from "./registry-auth-options.ts";

export interface RegistryAuth {
  readonly guard: Guard;
  readonly tokens?: TokenEndpoint;
}

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
      return { guard: new BasicGuard(readUsers(options.htpasswd), list) };
    }
    case "own-tokens": {
      const { service, issuer: name } = options;
      const issuer = new TokenIssuer({ keyPath: join(root, "token-key.pem"), issuer: name, service });
      const realm = (headers: IncomingHttpHeaders) =>
        options.realm ?? `${scheme}://${hostOf(headers)}${tokenPath}`;
      return {
        guard: new TokenGuard({ rules: issuer.rules, realm, service }),
        tokens: new TokenEndpoint({
          auth: readUsers(options.htpasswd),
          list: readAccessList(options.accessList),
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

function readUsers(path: string): BasicAuth {
  return new BasicAuth(parseHtpasswd(readText(path), path));
}

function readAccessList(path: string | undefined): AccessList {
  return path === undefined ? AccessList.everyUser : AccessList.parse(readText(path), path);
}

/** It goes into a header between quotation marks, and only to whoever sent it. */
function hostOf({ host = "" }: IncomingHttpHeaders): string {
  return /^[\w.:[\]-]+$/.test(host) ? host : "localhost";
}
