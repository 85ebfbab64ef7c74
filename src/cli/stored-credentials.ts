/** The credentials of registries: in Docker's `config.json`, or with the helper programs that it names. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type ClientFiles, OwnProcessNeeded } from "./client-files.ts";
import { CommandError } from "./command-error.ts";
import { CredentialHelper, tokenUser } from "./credential-helper.ts";
import { type Environment, reasonOf } from "./values/environment.ts";

/** What is sent to the engine for a registry. Docker's AuthConfig. */
export interface StoredCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/** An entry of `auths`. */
interface StoredAuth {
  /** base64 of `user:password`. */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

interface ClientConfig {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Docker Hub stands in the file under its old address. */
const dockerHubKey = "https://index.docker.io/v1/";

/** The name of a registry in the file. */
export function registryKey(server: string | undefined): string {
  const host = hostOf(server ?? "");
  return host === "" || host === "docker.io" || host === "index.docker.io" ? dockerHubKey : host;
}

const hostOf = (server: string): string => server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");

/** Whose credentials they are. */
export interface Client {
  readonly env: Environment;
  readonly files: Pick<ClientFiles, "readLogin">;
}

/**
 * What is stored for a registry: in `DOCKER_AUTH_CONFIG` of the environment, with the helper, in the file. A file that
 * cannot be read is another program's idea of it: then nothing is stored.
 * Errors: CommandError for a helper that is missing or fails.
 */
export function findCredentials(client: Client, key: string): StoredCredentials | undefined {
  const { env } = client;
  const config = configOf(client);
  const helper = helperOf(env, config, key);
  const entry = authIn(environmentAuths(env), key);
  if (entry) return fromAuth(entry, key);
  const held = helper?.get(key);
  if (held?.Username === tokenUser) return { identitytoken: held.Secret, serveraddress: key };
  if (held) return { username: held.Username, password: held.Secret, serveraddress: key };
  const stored = authIn(config.auths, key);
  return stored && fromAuth(stored, key);
}

/** What a `config.json` keeps itself for a registry. Errors: for what is no such file. */
export function credentialsIn(configText: string, key: string): StoredCredentials | undefined {
  const stored = authIn(parseConfig(configText).auths, key);
  return stored && fromAuth(stored, key);
}

function environmentAuths({ DOCKER_AUTH_CONFIG: text }: Environment): ClientConfig["auths"] {
  try {
    return text ? (JSON.parse(text) as ClientConfig).auths : undefined;
  } catch {
    throw new CommandError("DOCKER_AUTH_CONFIG is not valid JSON");
  }
}

/** Other programs write the key as a URL. */
function authIn(auths: ClientConfig["auths"], key: string): StoredAuth | undefined {
  const same = Object.keys(auths ?? {}).find((other) => other === key || registryKey(other) === key);
  return auths?.[key] ?? (same === undefined ? undefined : auths?.[same]);
}

function fromAuth(
  { auth, identitytoken, registrytoken }: StoredAuth,
  key: string,
): StoredCredentials | undefined {
  if (!auth && !identitytoken && !registrytoken) return undefined;
  const [username = "", ...password] = Buffer.from(auth ?? "", "base64")
    .toString()
    .split(":");
  return {
    ...(auth ? { username, password: password.join(":").replace(/\0+$/, "") } : {}),
    ...(identitytoken ? { identitytoken } : {}),
    ...(registrytoken ? { registrytoken } : {}),
    serveraddress: key,
  };
}

/**
 * Keeps what a login was made with; an identity token takes the password's place.
 * Errors: CommandError when the helper fails, or the file cannot be read or written.
 */
export function storeCredentials(
  env: Environment,
  key: string,
  { username, password, identitytoken }: { username: string; password: string; identitytoken?: string },
): void {
  const config = strictConfigOf(env);
  const helper = helperOf(env, config, key);
  const encode = (secret: string) => Buffer.from(`${username}:${secret}`).toString("base64");
  if (helper) {
    const held = identitytoken ? [tokenUser, identitytoken] : [username, password];
    helper.store(key, { Username: held[0] ?? "", Secret: held[1] ?? "" });
    writeAuth(env, config, key, {}); // that there is a login, and no secret
  } else if (identitytoken) writeAuth(env, config, key, { auth: encode(""), identitytoken });
  else writeAuth(env, config, key, { auth: encode(password) });
}

/** False when there was nothing. */
export function forgetCredentials(env: Environment, key: string): boolean {
  const config = strictConfigOf(env);
  const helper = helperOf(env, config, key);
  const known = config.auths?.[key] !== undefined || helper?.get(key) !== undefined;
  if (!known) return false;
  helper?.erase(key);
  writeAuth(env, config, key, undefined);
  return true;
}

function helperOf(env: Environment, config: ClientConfig, key: string): CredentialHelper | undefined {
  const name = config.credHelpers?.[key] ?? config.credsStore;
  return name ? new CredentialHelper(name, env) : undefined;
}

function writeAuth(env: Environment, config: ClientConfig, key: string, entry: StoredAuth | undefined): void {
  const { [key]: _, ...others } = config.auths ?? {};
  const auths = entry === undefined ? others : { ...others, [key]: entry };
  replaceFile(requiredPath(env), `${JSON.stringify({ ...config, auths }, null, "\t")}\n`);
}

function configPath(env: Environment): string | undefined {
  const directory = env.DOCKER_CONFIG || (env.HOME && join(env.HOME, ".docker"));
  return directory ? join(directory, "config.json") : undefined;
}

function requiredPath(env: Environment): string {
  const path = configPath(env);
  if (path !== undefined) return path;
  throw new CommandError("no place for credentials: neither DOCKER_CONFIG nor HOME is set");
}

/** For a pull, which goes without credentials too. */
function configOf({ env, files }: Client): ClientConfig {
  const path = configPath(env);
  try {
    const text = path && files.readLogin(path);
    return text === undefined ? {} : parseConfig(text);
  } catch (error) {
    if (error instanceof OwnProcessNeeded) throw error;
    return {};
  }
}

/** For a change: a broken file is not overwritten. */
function strictConfigOf(env: Environment): ClientConfig {
  const path = requiredPath(env);
  return existsSync(path) ? readConfig(path) : {};
}

function readConfig(path: string): ClientConfig {
  try {
    return parseConfig(readFileSync(path, "utf8"));
  } catch (error) {
    throw new CommandError(`read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function parseConfig(text: string): ClientConfig {
  const config: unknown = JSON.parse(text);
  if (typeof config === "object" && config !== null && !Array.isArray(config)) return config;
  throw new Error("not an object");
}

/** For its owner's eyes only, and whole at every moment. A link stays a link. */
function replaceFile(path: string, text: string): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const draft = `${target}.${process.pid}`;
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { mode: 0o600 });
    chmodSync(draft, 0o600);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new CommandError(`write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
