import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../values/environment.ts";

const dockerHubKey = "https://index.docker.io/v1/";

/**
 * The `X-Registry-Auth` header for a registry, from the `auths` of Docker's `config.json` (`$DOCKER_CONFIG` or
 * `~/.docker`), which other tools log in to as well. Undefined: none stored; the pull is anonymous.
 */
export function registryAuth(domain: string, env: Environment): string | undefined {
  const directory = env.DOCKER_CONFIG || (env.HOME && join(env.HOME, ".docker"));
  if (!directory) return undefined;
  const serverAddress = domain === "docker.io" ? dockerHubKey : domain;
  const entry = storedAuths(join(directory, "config.json"))[serverAddress];
  if (typeof entry?.auth !== "string") return undefined;
  const [username, ...password] = Buffer.from(entry.auth, "base64").toString().split(":");
  const auth = {
    username,
    password: password.join(":").replace(/\0+$/, ""),
    serveraddress: serverAddress,
    ...(entry.identitytoken === undefined ? {} : { identitytoken: entry.identitytoken }),
  };
  return Buffer.from(JSON.stringify(auth)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

interface StoredAuth {
  readonly auth?: string;
  readonly identitytoken?: string;
}

function storedAuths(path: string): Readonly<Record<string, StoredAuth>> {
  try {
    const config = JSON.parse(readFileSync(path, "utf8")) as { auths?: Record<string, StoredAuth> };
    return config.auths ?? {};
  } catch {
    return {}; // no file, or another program's idea of it: pull without credentials
  }
}
