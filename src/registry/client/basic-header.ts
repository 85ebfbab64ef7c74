import type { RegistryCredentials } from "../../core/transfer/contract.ts";

/** The Authorization header of RFC 7617. Undefined without a user name. */
export function basicHeader(credentials: RegistryCredentials | undefined): string | undefined {
  if (!credentials?.username) return undefined;
  const pair = `${credentials.username}:${credentials.password ?? ""}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}
