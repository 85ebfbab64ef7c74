import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RemoteRepository } from "../../core/transfer/contract.ts";
import { mediaTypes } from "../../formats/oci-image.ts";
import { parseReference } from "../../formats/reference.ts";
import { blobResponse, errorResponse, FakeRegistry, type Script } from "./fake-registry.ts";
import { RegistryClient } from "./registry-client.ts";
import type { Mirror } from "./registry-settings.ts";

const never = new AbortController().signal;
const text = "0123456789";

function registryWith(script?: Script) {
  const registry = new FakeRegistry(script);
  const target = registry.addManifest("1", mediaTypes.ociManifest, {
    schemaVersion: 2,
    config: {},
    layers: [],
  });
  const blob = registry.addBlob(new TextEncoder().encode(text));
  return { registry, target, blob, [Symbol.dispose]: () => registry[Symbol.dispose]() };
}

const mirrorAt = (host: string, more: object = {}) => ({
  url: `http://${host}/`,
  apiRoot: `http://${host}/v2/`,
  capabilities: ["pull", "resolve"] as Mirror["capabilities"],
  skipVerify: false,
  ...more,
});

/** Credentials are always given: none of them may reach a mirror. */
function open(registry: FakeRegistry, mirrors: ReturnType<typeof mirrorAt>[]): RemoteRepository {
  const retry = { attempts: 2, firstDelayMs: 1, maxDelayMs: 1 };
  const client = new RegistryClient({
    userAgent: "test",
    retry,
    idleTimeoutMs: 50,
    settings: { mirrors: { [registry.host]: mirrors } },
  });
  return client.repository(parseReference(`${registry.host}/a/b:1`), { username: "ann", password: "secret" });
}

test("a mirror gets its own credentials, its headers, and not those of the registry", async () => {
  using mirror = registryWith(({ headers }) =>
    headers.get("authorization") === null
      ? new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="m"' } })
      : undefined,
  );
  using own = registryWith();
  const asked: string[] = [];
  const client = new RegistryClient({
    userAgent: "test",
    settings: { mirrors: { [own.registry.host]: [mirrorAt(mirror.registry.host)] } },
    mirrorCredentials: async (host) => {
      asked.push(host);
      return { username: "mirror", password: "m" };
    },
  });
  const reference = parseReference(`${own.registry.host}/a/b:1`);
  const repository = client.repository(reference, { username: "ann", password: "secret" });
  expect(await repository.resolve(never)).toEqual(own.target);
  expect(asked).toEqual([mirror.registry.host]);
  expect(own.registry.requests).toEqual([]);
  expect(mirror.registry.requests.at(-1)?.authorization).toBe(`Basic ${btoa("mirror:m")}`);
});

async function download(
  repository: RemoteRepository,
  blob: Parameters<RemoteRepository["blob"]>[0],
  offset = 0,
) {
  const parts: Uint8Array[] = [];
  for await (const part of repository.blob(blob, offset, never)) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("a mirror that has everything is the only one that is asked", async () => {
  using mirror = registryWith();
  using own = registryWith();
  const repository = open(own.registry, [mirrorAt(mirror.registry.host)]);
  expect(await repository.resolve(never)).toEqual(own.target);
  await repository.manifest(own.target, never);
  expect(await download(repository, own.blob)).toBe(text);
  expect(own.registry.requests).toEqual([]);
  expect(mirror.registry.requests.map(({ authorization }) => authorization)).toEqual([null, null, null]);
});

test("a mirror that asks for a password gets none, and the registry is asked instead", async () => {
  const challenge = (realm: string) =>
    new Response(null, { status: 401, headers: { "www-authenticate": realm } });
  using mirror = registryWith(() => challenge("Basic realm=m"));
  using own = registryWith((request) =>
    request.headers.get("authorization") ? undefined : challenge("Basic realm=r"),
  );
  const repository = open(own.registry, [mirrorAt(mirror.registry.host)]);
  expect(await repository.resolve(never)).toEqual(own.target);
  expect(mirror.registry.requests.every(({ authorization }) => authorization === null)).toBe(true);
  expect(own.registry.requests.at(-1)?.authorization).toStartWith("Basic ");
});

test("what a mirror lacks comes from the next one, and it is asked again for other things", async () => {
  using empty = registryWith((_, { path }) =>
    path.includes("/manifests/") ? errorResponse(404, "MANIFEST_UNKNOWN", "x") : undefined,
  );
  using own = registryWith();
  const repository = open(own.registry, [mirrorAt(empty.registry.host)]);
  expect(await repository.resolve(never)).toEqual(own.target);
  expect(await download(repository, own.blob)).toBe(text);
  expect(own.registry.requests.map(({ path }) => path)).toEqual(["/v2/a/b/manifests/1"]);
});

test("a mirror that stands still is given up, and the registry goes on where it stopped", async () => {
  using mirror = registryWith((_, { path }) =>
    path.includes("/blobs/") ? new Response(stalling("0123")) : undefined,
  );
  using own = registryWith();
  const repository = open(own.registry, [mirrorAt(mirror.registry.host)]);
  expect(await download(repository, own.blob)).toBe(text);
  expect(own.registry.requests.map(({ range }) => range)).toEqual(["bytes=4-"]);
  await download(repository, own.blob);
  expect(mirror.registry.requests).toHaveLength(1);
});

/** Sends this, and nothing more for ever. */
function stalling(begin: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
    pull: () => new Promise(() => {}),
  });
}

test("a mirror that sends other bytes is found out by the caller, who gets the registry's then", async () => {
  using mirror = registryWith((_, { path }) =>
    path.includes("/blobs/") ? blobResponse(new TextEncoder().encode("9876543210"), null) : undefined,
  );
  using own = registryWith();
  const repository = open(own.registry, [mirrorAt(mirror.registry.host)]);
  expect(await download(repository, own.blob)).toBe("9876543210");
  expect(repository.reject(own.blob)).toBe(true);
  expect(await download(repository, own.blob)).toBe(text);
  expect(repository.reject(own.blob)).toBe(false);
});

test("a mirror without the capability is not asked what a tag means", async () => {
  using mirror = registryWith();
  using own = registryWith();
  const repository = open(own.registry, [mirrorAt(mirror.registry.host, { capabilities: ["pull"] })]);
  await repository.resolve(never);
  await repository.manifest(own.target, never);
  expect(own.registry.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  expect(mirror.registry.requests.map(({ method }) => method)).toEqual(["GET"]);
});

test("when nobody answers, the registry's error tells of the mirrors", async () => {
  using dead = registryWith();
  using own = registryWith(() => errorResponse(404, "MANIFEST_UNKNOWN", "unknown"));
  dead.registry[Symbol.dispose]();
  const failure = await open(own.registry, [mirrorAt(dead.registry.host)])
    .resolve(never)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({
    kind: "NotFound",
    hint: expect.stringContaining(`mirrors failed before (http://${dead.registry.host}/: `),
  });
});

test("a push goes to the registry alone", async () => {
  using mirror = registryWith();
  using own = registryWith();
  const settings = { mirrors: { [own.registry.host]: [mirrorAt(mirror.registry.host)] } };
  const client = new RegistryClient({ userAgent: "test", settings });
  const uploads = client.uploads(parseReference(`${own.registry.host}/a/b:1`), undefined, []);
  expect(await uploads.hasBlob(own.blob.digest, never)).toBe(true);
  expect(mirror.registry.requests).toEqual([]);
});

describe("hosts.toml", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gantry-hosts-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** The host's credentials are `host`, the registry's `ann`. */
  function clientWith(text: string): RegistryClient {
    mkdirSync(join(directory, "r.example"));
    writeFileSync(join(directory, "r.example", "hosts.toml"), text);
    return new RegistryClient({
      userAgent: "test",
      retry: { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 },
      settings: { certificatesDirectory: directory },
      mirrorCredentials: async () => ({ username: "host", password: "h" }),
    });
  }
  const reference = parseReference("r.example/a/b:1");
  const uploadsOf = (client: RegistryClient) =>
    client.uploads(reference, { username: "ann", password: "secret" }, []);
  const pullsOf = (client: RegistryClient) => client.repository(reference, undefined);
  const wantsLogin: Script = ({ headers }) =>
    headers.get("authorization") === null
      ? new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="m"' } })
      : undefined;

  test("sends a push to the first host that may take it, with that host's login", async () => {
    using copies = registryWith();
    using takes = registryWith(wantsLogin);
    using server = registryWith();
    const uploads = uploadsOf(
      clientWith(`
server = "http://${server.registry.host}"
[host."http://${copies.registry.host}"]
[host."http://${takes.registry.host}"]
  capabilities = ["push"]
`),
    );
    expect(await uploads.hasBlob(takes.blob.digest, never)).toBe(true);
    expect(takes.registry.requests.at(-1)?.authorization).toBe(`Basic ${btoa("host:h")}`);
    expect([copies.registry.requests, server.registry.requests]).toEqual([[], []]);
  });

  test("tells its hosts the registry that is meant, once", async () => {
    using host = registryWith();
    using server = registryWith();
    const client = clientWith(`
server = "http://${server.registry.host}"
[host."http://${host.registry.host}"]
  capabilities = ["pull"]
`);
    await pullsOf(client).manifest(await pullsOf(client).resolve(never), never);
    await uploadsOf(client).hasBlob(server.blob.digest, never);
    const asked = [...server.registry.requests, ...host.registry.requests].map(({ path }) => path);
    expect(asked).toEqual([
      "/v2/a/b/manifests/1?ns=r.example",
      `/v2/a/b/blobs/${server.blob.digest}?ns=r.example`,
      `/v2/a/b/manifests/${host.target.digest}?ns=r.example`,
    ]);
  });

  test("asks nobody for what a host or the server is not for", async () => {
    using host = registryWith();
    using server = registryWith();
    const client = clientWith(`
server = "http://${server.registry.host}"
capabilities = ["resolve"]
[host."http://${host.registry.host}"]
  capabilities = ["push"]
`);
    expect(await pullsOf(client).resolve(never)).toEqual(server.target);
    await expect(pullsOf(client).manifest(server.target, never)).rejects.toMatchObject({
      code: "registry.capability",
      message: "hosts.toml of r.example: the server is not for pull",
      hint: 'add "pull" to its capabilities, or to those of a host',
    });
    expect(host.registry.requests).toEqual([]);
    expect(server.registry.requests.every(({ method }) => method === "HEAD")).toBe(true);
  });

  test("refuses a push that neither server nor host may take", async () => {
    using server = registryWith();
    const client = clientWith(
      `server = "http://${server.registry.host}"\ncapabilities = ["pull", "resolve"]`,
    );
    await expect(uploadsOf(client).hasBlob(server.blob.digest, never)).rejects.toThrow("is not for push");
    expect(server.registry.requests).toEqual([]);
  });
});
