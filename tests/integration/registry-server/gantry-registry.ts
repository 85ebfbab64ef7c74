import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { command, mustRun } from "../../fixtures/command.ts";
import { gantryPath, scratchDirectory } from "../../fixtures/places.ts";
import { freePort } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

export interface ErrorBody {
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** `gantry registry serve` on a free loopback port with a directory of its own; disposing removes both. */
export class GantryRegistry implements AsyncDisposable {
  private process: Bun.Subprocess | undefined;

  private constructor(
    readonly directory: string,
    /** `127.0.0.1:PORT`, as it stands in image references. */
    readonly host: string,
    private readonly scheme: "http" | "https",
    /** With which it was started first. */
    readonly args: readonly string[],
    private readonly rootName: string,
  ) {}

  /** `rootSize` puts the root on a tmpfs of that size (`2m`). */
  static async start(
    args: readonly string[] = [],
    scheme: "http" | "https" = "http",
    rootName = "root",
    rootSize?: string,
  ): Promise<GantryRegistry> {
    const registry = new GantryRegistry(
      scratchDirectory("registry-server"),
      `127.0.0.1:${await freePort()}`,
      scheme,
      args,
      rootName,
    );
    if (rootSize !== undefined) {
      mkdirSync(registry.root);
      await mustRun(["mount", "-t", "tmpfs", "-o", `size=${rootSize}`, "gantry-test", registry.root]);
    }
    await registry.boot(args);
    return registry;
  }

  get root(): string {
    return join(this.directory, this.rootName);
  }

  /** Starts it, again after a kill, and returns once it answers. */
  async boot(args: readonly string[] = []): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    const log = join(this.directory, "log");
    const child = Bun.spawn(
      [gantryPath, "registry", "serve", "--addr", this.host, "--root", this.root, ...args],
      { stdin: "ignore", stdout: "ignore", stderr: Bun.file(log) },
    );
    this.process = child;
    await waitFor("the registry's first answer", () => {
      if (child.exitCode !== null) throw new Error(`the registry ended: ${readFileSync(log, "utf8")}`);
      return this.fetch("/v2/").then(
        () => true,
        () => false,
      );
    });
  }

  /** Lets it read its files again, and returns once it has. */
  async reload(): Promise<void> {
    const count = async () => (await this.log()).split("registry.reload").length;
    const before = await count();
    this.process?.kill("SIGHUP");
    await waitFor("the registry to read its files", async () => (await count()) > before);
  }

  log(): Promise<string> {
    return Bun.file(join(this.directory, "log")).text();
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.process?.kill(signal);
    await this.process?.exited;
    this.process = undefined;
  }

  /** `path` may also be a `Location` that the registry gave. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.scheme}://${this.host}${path}`, { ...init, tls: { rejectUnauthorized: false } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await command(["umount", "--quiet", this.root]); // only some are a mount
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function digestOf(bytes: Uint8Array | string, algorithm: "sha256" | "sha512" = "sha256"): string {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(bytes).digest("hex")}`;
}

/** Pushes a blob in one request; returns its digest. */
export async function pushBlob(
  registry: GantryRegistry,
  name: string,
  bytes: Uint8Array<ArrayBuffer> | string,
) {
  const digest = digestOf(bytes);
  const reply = await registry.fetch(`/v2/${name}/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: bytes,
  });
  if (reply.status !== 201) throw new Error(`push blob: ${reply.status} ${await reply.text()}`);
  return digest;
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** A manifest of blobs that are pushed with it; `extra` fields are added. Not pushed itself. */
export async function makeManifest(
  registry: GantryRegistry,
  name: string,
  extra: Record<string, unknown> = {},
): Promise<string> {
  const config = await pushBlob(registry, name, "{}");
  const layer = await pushBlob(registry, name, "layer");
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 2 },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: 5 }],
    ...extra,
  });
}

export function putManifest(registry: GantryRegistry, name: string, reference: string, manifest: string) {
  return registry.fetch(`/v2/${name}/manifests/${reference}`, {
    method: "PUT",
    headers: { "Content-Type": manifestType },
    body: manifest,
  });
}

/** The code of an error answer, and nothing else may be in it. */
export async function codeOf(reply: Response): Promise<string | undefined> {
  const body = (await reply.json()) as ErrorBody;
  return body.errors.length === 1 ? body.errors[0]?.code : undefined;
}
