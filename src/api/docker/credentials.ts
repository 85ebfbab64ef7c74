import type { RegistryCredentials } from "../../core/transfer/contract.ts";

const names = ["username", "password", "identitytoken", "registrytoken", "serveraddress"] as const;

/** base64url of JSON; what cannot be decoded counts as anonymous, as Docker does it. engine-api, section 7. */
export function parseCredentials(header: string | string[] | undefined): RegistryCredentials | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (!text) return undefined;
  try {
    const given = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, unknown>;
    const fields = names.flatMap((name) => {
      const value = given[name];
      return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
    });
    return fields.length > 0 ? Object.fromEntries(fields) : undefined;
  } catch {
    return undefined;
  }
}
