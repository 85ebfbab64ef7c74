import { invalidParameter } from "../errors/platform-error.ts";

/** Who may use a registry; all files are paths. */
export type RegistryAuthOptions =
  | { readonly kind: "open" }
  | { readonly kind: "basic"; readonly htpasswd: string; readonly accessList: string | undefined }
  | {
      /** It is its own token server. */
      readonly kind: "own-tokens";
      readonly htpasswd: string;
      readonly accessList: string | undefined;
      /** URL; undefined: the address by which the client came. */
      readonly realm: string | undefined;
      readonly service: string;
      readonly issuer: string;
    }
  | {
      readonly kind: "foreign-tokens";
      readonly realm: string;
      readonly service: string;
      readonly issuer: string;
      readonly keys: { readonly form: "jwks" | "certificates"; readonly path: string };
    };

export const registryAuthFlags = {
  htpasswd: { type: "string" },
  "access-list": { type: "string" },
  "auth-token": { type: "boolean" },
  "auth-token-realm": { type: "string" },
  "auth-token-service": { type: "string" },
  "auth-token-issuer": { type: "string" },
  "auth-token-jwks": { type: "string" },
  "auth-token-root-cert": { type: "string" },
} as const;

type Values = {
  readonly [flag in keyof typeof registryAuthFlags]?: (typeof registryAuthFlags)[flag]["type"] extends "boolean"
    ? boolean
    : string;
};

const defaultName = "gantry registry";

/** Errors: InvalidParameter naming the option that does not go with the others. */
export function parseRegistryAuth(values: Values): RegistryAuthOptions {
  const { htpasswd, "access-list": accessList } = values;
  const keys = keysOf(values);
  if (keys) return foreignTokens(values, keys);
  if (htpasswd === undefined) {
    const alone = Object.keys(registryAuthFlags).find((flag) => values[flag as keyof Values] !== undefined);
    if (alone === undefined) return { kind: "open" };
    throw invalidParameter(`--${alone}: nobody is known who could log in`, {
      hint: "give --htpasswd for users of its own, or --auth-token-jwks for another token server",
    });
  }
  if (!values["auth-token"]) {
    const useless = (["auth-token-realm", "auth-token-service", "auth-token-issuer"] as const).find(
      (flag) => values[flag] !== undefined,
    );
    if (useless)
      throw invalidParameter(`--${useless} needs --auth-token, --auth-token-jwks or --auth-token-root-cert`);
    return { kind: "basic", htpasswd, accessList };
  }
  return {
    kind: "own-tokens",
    htpasswd,
    accessList,
    realm: realmUrl(values["auth-token-realm"]),
    service: quotable("auth-token-service", values["auth-token-service"] ?? defaultName),
    issuer: values["auth-token-issuer"] ?? defaultName,
  };
}

function keysOf(values: Values) {
  const { "auth-token-jwks": jwks, "auth-token-root-cert": certificates } = values;
  if (jwks !== undefined && certificates !== undefined)
    throw invalidParameter("--auth-token-jwks and --auth-token-root-cert: give one of both");
  if (jwks !== undefined) return { form: "jwks", path: jwks } as const;
  return certificates === undefined ? undefined : ({ form: "certificates", path: certificates } as const);
}

function foreignTokens(
  values: Values,
  keys: { readonly form: "jwks" | "certificates"; readonly path: string },
): RegistryAuthOptions {
  for (const flag of ["htpasswd", "access-list", "auth-token"] as const) {
    if (values[flag] !== undefined)
      throw invalidParameter(`--${flag}: the other token server knows the users and their rights`);
  }
  const needed = (flag: "auth-token-realm" | "auth-token-service" | "auth-token-issuer") => {
    const value = values[flag];
    if (value === undefined) throw invalidParameter(`--${flag} is missing: what the token server calls it`);
    return quotable(flag, value);
  };
  return {
    kind: "foreign-tokens",
    realm: realmUrl(needed("auth-token-realm")) ?? "",
    service: needed("auth-token-service"),
    issuer: needed("auth-token-issuer"),
    keys,
  };
}

function realmUrl(text: string | undefined): string | undefined {
  if (text === undefined || /^https?:\/\/[^\s"]+$/.test(text)) return text;
  throw invalidParameter(`--auth-token-realm ${text}: expected an http or https URL`);
}

/** Stands between quotation marks in a header. */
function quotable(flag: string, text: string): string {
  if (/^[\x20-\x7e]+$/.test(text) && !/["\\]/.test(text)) return text;
  throw invalidParameter(`--${flag}: only plain characters without quotation marks can be sent`);
}
