import { afterEach, beforeEach, expect, test } from "bun:test";
import type { BlobTarget } from "../../core/transfer/contract.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { parseReference } from "../../formats/reference.ts";
import { blobResponse, FakeRegistry, rawServer, type Script } from "./fake-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const never = new AbortController().signal;
const text = "0123456789";
const bytes = new TextEncoder().encode(text);

let registry: FakeRegistry;
let servers: FakeRegistry[];
beforeEach(() => {
  // A registry that wants a login: what is sent to it must not go anywhere else.
  registry = new FakeRegistry(({ headers }) =>
    headers.get("authorization") === null
      ? new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } })
      : undefined,
  );
  servers = [];
});
afterEach(() => {
  for (const server of [registry, ...servers]) server[Symbol.dispose]();
});

function serve(script: Script): FakeRegistry {
  const server = new FakeRegistry(script);
  servers.push(server);
  return server;
}

/** Settings name all servers of the test. */
function open(layerUrlHosts = servers.map(({ host }) => `http://${host}`)) {
  const retry = { attempts: 2, firstDelayMs: 1, maxDelayMs: 1 };
  const settings = { layerUrlHosts };
  const client = new RegistryClient({ userAgent: "test", retry, idleTimeoutMs: 50, settings });
  return client.repository(parseReference(`${registry.host}/a/b:1`), { username: "ann", password: "secret" });
}

/** Of bytes that the registry has not. */
function layerAt(...urls: string[]): Descriptor {
  const { digest, size } = new FakeRegistry().addBlob(bytes);
  return { mediaType: mediaTypes.dockerForeignLayerGzip, digest, size, urls };
}

class Target implements BlobTarget {
  written = "";
  readonly receiver = undefined;

  get offset(): number {
    return this.written.length;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.written += new TextDecoder().decode(chunk);
  }
}

async function download(layer: Descriptor, repository = open()): Promise<Target> {
  const target = new Target();
  await repository.download(layer, target, never);
  return target;
}

test("the registry is asked first, and the URLs only for what it has not", async () => {
  const server = serve(() => new Response(bytes));
  const layer = { ...registry.addBlob(bytes), urls: [`http://${server.host}/x`] };
  expect((await download(layer)).written).toBe(text);
  expect(server.requests).toEqual([]);
});

test("URLs are asked in their order, and without the registry's credentials", async () => {
  const [lacks, has, unasked] = [
    serve(() => new Response("", { status: 404 })),
    serve(() => new Response(bytes)),
    serve(() => undefined),
  ];
  const layer = layerAt("no url", ...[lacks, has, unasked].map(({ host }) => `http://${host}/x?y=z`));
  expect((await download(layer)).written).toBe(text);
  expect(registry.requests.at(-1)?.authorization).toStartWith("Basic ");
  const asked = { method: "GET", path: "/x?y=z", authorization: null, range: null };
  expect([lacks.requests, has.requests, unasked.requests]).toEqual([[asked], [asked], []]);
});

test("a stream of the bytes comes from the same places", async () => {
  const server = serve((_, { range }) => blobResponse(bytes, range));
  const layer = layerAt(`http://${server.host}/x`);
  const read = async (descriptor: Descriptor, repository = open()) => {
    let read = "";
    for await (const chunk of repository.blob(descriptor, 4, never)) read += new TextDecoder().decode(chunk);
    return read;
  };
  expect(await read(layer)).toBe("456789");
  await expect(read(layer, open([]))).rejects.toMatchObject({ code: "transfer.foreign-layer" });
});

test("what breaks off at one URL goes on at the next", async () => {
  using cut = rawServer(() => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
  const whole = serve((_, { range }) => blobResponse(bytes, range));
  const layer = layerAt(`http://${cut.host}/x`, `http://${whole.host}/x`);
  const hosts = [cut.host, whole.host].map((host) => `http://${host}`);
  expect((await download(layer, open(hosts))).written).toBe(text);
  expect(cut.connections()).toBeGreaterThan(0);
  expect(whole.requests.map(({ range }) => range)).toEqual(["bytes=4-"]);
});

test("a redirect may lead no further than a URL", async () => {
  const inside = serve(() => new Response(bytes));
  const outside = serve(() => Response.redirect(`http://${inside.host}/secret`));
  const layer = layerAt(`http://${outside.host}/x`);
  const failure = download(layer, open([`http://${outside.host}`]));
  await expect(failure).rejects.toMatchObject({
    code: "transfer.foreign-layer",
    message: expect.stringContaining(`http://${inside.host} is not asked: it is not encrypted`),
    hint: `allow it with --layer-url-host http://${inside.host}`,
  });
  expect(inside.requests).toEqual([]);
  expect((await download(layer)).written).toBe(text);
});

test("a URL that is not allowed is not asked, and the error says how to allow it", async () => {
  const server = serve(() => new Response(bytes));
  await expect(download(layerAt(`http://${server.host}/x`), open([]))).rejects.toMatchObject({
    kind: "Unavailable",
    hint: `allow it with --layer-url-host http://${server.host}`,
  });
  expect(server.requests).toEqual([]);
});

test("where nobody has the layer, everybody who was asked is named", async () => {
  const server = serve(() => Response.json({ errors: [{ code: "X", message: "y" }] }, { status: 404 }));
  const layer = layerAt(`http://${server.host}/x`);
  await expect(download(layer)).rejects.toMatchObject({
    kind: "NotFound",
    message: expect.stringMatching(
      new RegExp(
        `^layer ${layer.digest} is not in the registry, nor at its urls \\(the registry: .*; "http://.*/x": `,
      ),
    ),
  });
  await expect(download(layerAt())).rejects.toThrow("and the manifest names no other place");
});

test("a source whose bytes were no good is not asked again, as long as there is another", async () => {
  const [lying, honest] = [serve(() => new Response("abcdefghij")), serve(() => new Response(bytes))];
  const layer = layerAt(`http://${lying.host}/x`, `http://${honest.host}/x`);
  const repository = open();
  expect((await download(layer, repository)).written).toBe("abcdefghij");
  expect(repository.reject(layer)).toBe(true);
  expect((await download(layer, repository)).written).toBe(text);
  expect(repository.reject(layer)).toBe(false);
});

test("of many URLs only the first are asked", async () => {
  const server = serve(() => new Response("", { status: 404 }));
  const urls = Array.from({ length: 100 }, (_, index) => `http://${server.host}/${index}`);
  await expect(download(layerAt(...urls))).rejects.toThrow("is not in the registry");
  expect(server.requests).toHaveLength(8);
});
