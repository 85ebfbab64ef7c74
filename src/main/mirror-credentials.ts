import { readFile } from "node:fs/promises";
import { credentialsIn, registryKey, type StoredCredentials } from "../cli/stored-credentials.ts";
import { invalidParameter, messageOf } from "../errors/platform-error.ts";

/**
 * The engine's own logins, for mirrors: a `config.json` as `login` writes it, read at each use. Helper programs are not
 * asked: they belong to a user.
 * Errors: InvalidParameter naming the file.
 */
export const mirrorCredentials =
  (path: string | undefined) =>
  async (host: string): Promise<StoredCredentials | undefined> => {
    if (path === undefined) return undefined;
    try {
      return credentialsIn(await readFile(path, "utf8"), registryKey(host));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw invalidParameter(`${path}: ${messageOf(error)}`, { code: "config.credentials", cause: error });
    }
  };
