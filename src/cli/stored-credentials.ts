/** Docker's `config.json`, where command lines keep the credentials of registries. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "./command-error.ts";
import { type Environment, reasonOf } from "./values/environment.ts";

interface ClientConfig {
  readonly auths?: Readonly<Record<string, object>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Docker Hub stands in the file under its old address. */
const dockerHubKey = "https://index.docker.io/v1/";

/** The name of a registry in the file. */
export function registryKey(server: string | undefined): string {
  const host = (server ?? "").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "" || host === "docker.io" || host === "index.docker.io" ? dockerHubKey : host;
}

/** Errors: CommandError when a helper program should keep them, or the file cannot be written. */
export function storeCredentials(env: Environment, key: string, username: string, password: string): void {
  change(env, key, { auth: Buffer.from(`${username}:${password}`).toString("base64") });
}

/** False when there was nothing. */
export function forgetCredentials(env: Environment, key: string): boolean {
  const path = configPath(env);
  if (!existsSync(path) || readConfig(path).auths?.[key] === undefined) return false;
  change(env, key, undefined);
  return true;
}

function change(env: Environment, key: string, entry: object | undefined): void {
  const path = configPath(env);
  const config = existsSync(path) ? readConfig(path) : {};
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper) {
    throw new CommandError(`credential helpers (${helper}) are not built into gantry yet`, {
      hint: "use docker login, or take the helper out of the configuration",
    });
  }
  const { [key]: _, ...others } = config.auths ?? {};
  const auths = entry === undefined ? others : { ...others, [key]: entry };
  replaceFile(path, `${JSON.stringify({ ...config, auths }, null, "\t")}\n`);
}

function configPath(env: Environment): string {
  const directory = env.DOCKER_CONFIG || (env.HOME && join(env.HOME, ".docker"));
  if (directory) return join(directory, "config.json");
  throw new CommandError("no place for credentials: neither DOCKER_CONFIG nor HOME is set");
}

/** Errors: a broken file is not overwritten. */
function readConfig(path: string): ClientConfig {
  try {
    const config: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return config;
    throw new Error("not an object");
  } catch (error) {
    throw new CommandError(`read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** For its owner's eyes only, and whole at every moment. */
function replaceFile(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, text, { mode: 0o600 });
    chmodSync(draft, 0o600);
    renameSync(draft, path);
  } catch (error) {
    throw new CommandError(`write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
