import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, systemError } from "../../errors/platform-error.ts";
import type { Trust } from "./registry-endpoint.ts";

/** What a connection over TLS shows and trusts. */
export interface TlsMaterial {
  /** PEM; undefined: Bun's own list. */
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * CA and client certificates by host, in Docker's layout: `DIRECTORY/HOST[:PORT]/` with CA certificates in `*.crt`,
 * and a client certificate in `NAME.cert` with its key in `NAME.key`. Read anew for each connection, so that a
 * changed file counts at once.
 */
export class HostCertificates {
  constructor(private readonly directory: string | undefined) {}

  /**
   * For a connection to `host`. CA certificates of the trusted host count too; its client certificate is for it
   * alone. Errors: System naming the file that is missing or is no PEM.
   */
  async for(
    host: string,
    { host: trustedHost, files, isAnonymous }: Pick<Trust, "host" | "files" | "isAnonymous">,
  ): Promise<TlsMaterial> {
    const own = await this.read(host);
    const trusted = trustedHost === host ? [] : ((await this.read(trustedHost)).ca ?? []);
    const named = await Promise.all((files?.ca ?? []).map((path) => readPem(path, "CERTIFICATE")));
    const ca = [...systemCertificates(), ...(own.ca ?? []), ...trusted, ...named];
    if (isAnonymous) return ca.length > 0 ? { ca } : {};
    const client = trustedHost === host && files?.client ? await readPair(files.client) : {};
    return { ...own, ...client, ...(ca.length > 0 ? { ca } : {}) };
  }

  private async read(host: string): Promise<TlsMaterial> {
    if (this.directory === undefined) return {};
    const directory = join(this.directory, host);
    const names = await readdir(directory).catch(absent);
    if (names.length === 0) return {};
    const ca = await Promise.all(
      withEnding(names, ".crt").map((name) => readPem(join(directory, `${name}.crt`), "CERTIFICATE")),
    );
    return { ...(ca.length > 0 ? { ca } : {}), ...(await readClient(directory, names)) };
  }
}

const withEnding = (names: readonly string[], ending: string): string[] =>
  names.flatMap((name) => (name.endsWith(ending) ? [name.slice(0, -ending.length)] : [])).sort();

async function readClient(directory: string, names: readonly string[]): Promise<TlsMaterial> {
  const certificates = withEnding(names, ".cert");
  for (const key of withEnding(names, ".key")) {
    if (certificates.includes(key)) continue;
    throw bad(`missing client certificate ${key}.cert for key ${join(directory, `${key}.key`)}`);
  }
  const [name, second] = certificates;
  if (name === undefined) return {};
  if (second !== undefined) throw bad(`${directory}: more than one client certificate`);
  if (!names.includes(`${name}.key`)) {
    throw bad(
      `missing key ${name}.key for client certificate ${join(directory, `${name}.cert`)}`,
      "CA certificates must use the extension .crt",
    );
  }
  return await readPair({ cert: join(directory, `${name}.cert`), key: join(directory, `${name}.key`) });
}

async function readPair({
  cert,
  key,
}: {
  readonly cert: string;
  readonly key: string;
}): Promise<TlsMaterial> {
  return { cert: await readPem(cert, "CERTIFICATE"), key: await readPem(key, "PRIVATE KEY") };
}

/** Checked here: of what is no PEM the connection would only say that it failed. */
async function readPem(path: string, label: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw bad(`read ${path}: ${messageOf(error)}`);
  });
  if (new RegExp(`^-----BEGIN [A-Z ]*${label}-----`, "m").test(text)) return text;
  throw bad(`${path}: no ${label.toLowerCase()} in PEM form`);
}

function bad(message: string, hint?: string) {
  return systemError(message, { code: "registry.certificates", hint });
}

function absent(error: unknown): string[] {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return [];
  throw bad(messageOf(error));
}

/** Where distributions keep the machine's CA certificates, as Go's programs find them. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

let machines: readonly string[] | undefined;

/** Read once: it is large, and changes rarely. */
function systemCertificates(): readonly string[] {
  machines ??= readFirst(process.env.SSL_CERT_FILE ? [process.env.SSL_CERT_FILE] : bundles);
  return machines;
}

function readFirst(paths: readonly string[]): readonly string[] {
  for (const path of paths) {
    try {
      return [readFileSync(path, "utf8")];
    } catch {
      // the next distribution's place
    }
  }
  return [];
}
