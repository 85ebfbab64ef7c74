import { describe, expect, test } from "bun:test";
import type { RegistryCredentials, RemoteRepository } from "../../core/transfer/contract.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { parseReference } from "../../formats/reference.ts";
import { blobResponse, errorResponse, FakeRegistry, rawServer, type Script } from "./fake-registry.ts";
import { RegistryClient, type RegistryClientOptions } from "./registry-client.ts";

const never = new AbortController().signal;
const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 50 };
const bytes = (text: string) => new TextEncoder().encode(text);
const manifest = { schemaVersion: 2, config: {}, layers: [] };

function open(
  host: string,
  name = "a/b:1",
  credentials?: RegistryCredentials,
  options: Partial<RegistryClientOptions> = {},
): RemoteRepository {
  const client = new RegistryClient({ userAgent: "test", retry, ...options });
  return client.repository(parseReference(`${host}/${name}`), credentials);
}

async function download(repository: RemoteRepository, blob: Descriptor, offset = 0, signal = never) {
  const parts: Uint8Array[] = [];
  for await (const part of repository.blob(blob, offset, signal)) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What the promise was rejected with. */
async function failure(promise: Promise<unknown>): Promise<PlatformError> {
  const error = await promise.then(
    () => new Error("it went well"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof PlatformError) return error;
  throw error;
}

function registryWith(script?: Script) {
  const registry = new FakeRegistry(script);
  const target = registry.addManifest("1", mediaTypes.ociManifest, manifest);
  const blob = registry.addBlob(bytes("0123456789"));
  return { registry, target, blob };
}

describe("a registry that behaves", () => {
  test("a tag is resolved by one HEAD, and everything is read as it is", async () => {
    const { registry, target, blob } = registryWith();
    using _ = registry;
    const repository = open(registry.host);
    expect(await repository.resolve(never)).toEqual(target);
    expect(registry.requests).toHaveLength(1);
    expect(digestOf(await repository.manifest(target, never))).toBe(target.digest);
    expect(await download(repository, blob)).toBe("0123456789");
    expect(await download(repository, blob, 4)).toBe("456789");
    expect(registry.requests.at(-1)?.range).toBe("bytes=4-");
    expect(registry.requests.every((request) => request.authorization === null)).toBe(true);
  });

  test("a digest is asked for instead of the tag", async () => {
    const { registry, target } = registryWith();
    using _ = registry;
    expect(await open(registry.host, `a/b@${target.digest}`).resolve(never)).toEqual(target);
    expect(registry.requests[0]?.path).toBe(`/v2/a/b/manifests/${target.digest}`);
  });

  test.each([405, 200])("without a useful HEAD (%p) it is resolved by GET, once", async (status) => {
    const { registry, target } = registryWith((request) =>
      request.method === "HEAD" ? new Response(null, { status }) : undefined,
    );
    using _ = registry;
    const repository = open(registry.host);
    expect(await repository.resolve(never)).toEqual(target);
    await repository.manifest(target, never);
    expect(registry.requests.map((request) => request.method)).toEqual(["HEAD", "GET"]);
  });

  test("ranges that the registry ignores are skipped", async () => {
    const { registry, blob } = registryWith((request) =>
      request.url.includes("/blobs/") ? blobResponse(bytes("0123456789"), null) : undefined,
    );
    using _ = registry;
    expect(await download(open(registry.host), blob, 7)).toBe("789");
  });
});

test("tags are read page by page", async () => {
  const pages: Record<string, [string[] | null, string]> = {
    "/v2/a/b/tags/list?n=1000": [["1", "2"], '</v2/a/b/tags/list?last=2&n=1000>; rel="next"'],
    "/v2/a/b/tags/list?last=2&n=1000": [["3"], "</v2/a/b/tags/list?last=3>; rel=next"],
    "/v2/a/b/tags/list?last=3": [null, ""],
  };
  using registry = new FakeRegistry((_, { path }) => {
    const [tags, link] = pages[path] ?? [];
    return tags === undefined
      ? errorResponse(404, "NAME_UNKNOWN", "repository name not known to registry")
      : Response.json({ name: "a/b", tags }, { headers: link ? { link } : {} });
  });
  expect(await open(registry.host).tags(never)).toEqual(["1", "2", "3"]);
  const error = await failure(open(registry.host, "none").tags(never));
  expect(error.message).toBe(
    `repository ${registry.host}/none not found: name unknown: repository name not known to registry`,
  );
});

describe("errors in the words of Docker's engine", () => {
  test("nobody listens", async () => {
    const { registry } = registryWith();
    const { host } = registry;
    registry[Symbol.dispose]();
    const error = await failure(open(host).resolve(never));
    expect(error.message).toBe(`Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused`);
    expect(error.kind).toBe("Unavailable");
  });

  test("a host that does not exist", async () => {
    const error = await failure(open("registry.invalid").resolve(never));
    expect(error.message).toContain("dial tcp: lookup registry.invalid: no such host");
  });

  test.each([
    [
      "a/b:2",
      404,
      "MANIFEST_UNKNOWN",
      "manifest unknown",
      "NotFound",
      "manifest for HOST/a/b:2 not found: manifest unknown: manifest unknown",
    ],
    [
      "a/b:1",
      404,
      "NAME_UNKNOWN",
      "repository name not known to registry",
      "NotFound",
      "repository HOST/a/b not found: name unknown: repository name not known to registry",
    ],
    [
      "a/b:1",
      403,
      "DENIED",
      "requested access to the resource is denied",
      "NotFound",
      "pull access denied for HOST/a/b, repository does not exist or may require 'docker login': " +
        "denied: requested access to the resource is denied",
    ],
    [
      "a/b:1",
      401,
      "UNAUTHORIZED",
      "authentication required",
      "Unauthorized",
      "unauthorized: authentication required",
    ],
    [
      "a/b:1",
      429,
      "TOOMANYREQUESTS",
      "You have reached your pull rate limit",
      "Unavailable",
      "toomanyrequests: You have reached your pull rate limit",
    ],
  ] as const)("%s, %d %s", async (name, status, code, message, kind, text) => {
    using registry = new FakeRegistry(() => errorResponse(status, code, message));
    const error = await failure(open(registry.host, name).resolve(never));
    expect(error.message).toBe(text.replace("HOST", registry.host));
    expect(error.kind).toBe(kind);
  });

  test("a server error is tried again and then named with its status", async () => {
    using registry = new FakeRegistry(() => new Response("broken", { status: 503 }));
    const error = await failure(open(registry.host).resolve(never));
    expect(error.message).toBe("received unexpected HTTP status: 503 Service Unavailable");
    expect(registry.requests.filter((request) => request.method === "GET")).toHaveLength(3);
  });

  test("a server error's own words are told", async () => {
    using registry = new FakeRegistry(() => errorResponse(503, "UNAVAILABLE", "the disk is full"));
    const error = await failure(open(registry.host).resolve(never));
    expect(error.message).toBe("received unexpected HTTP status: 503 Service Unavailable: the disk is full");
  });

  test("a page that is no registry's error", async () => {
    using registry = new FakeRegistry(() => new Response("<html>", { status: 404 }));
    const error = await failure(open(registry.host).resolve(never));
    expect(error.message).toBe('error parsing HTTP 404 response body: "<html>"');
  });
});

describe("a registry that misbehaves for a while", () => {
  test("a rate limit that is used up is not waited for, and its hint says what helps", async () => {
    const { registry } = registryWith(() =>
      errorResponse(429, "TOOMANYREQUESTS", "You have reached your pull rate limit", {
        "ratelimit-limit": "100;w=21600",
        "ratelimit-remaining": "0;w=21600",
      }),
    );
    using _ = registry;
    const error = await failure(open(registry.host).resolve(never));
    expect(error.message).toBe("toomanyrequests: You have reached your pull rate limit");
    expect(error.hint).toStartWith("the registry allows 100 pulls in 6 hours; log in for a higher limit, or");
    expect(registry.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  });

  test("a pause that a rate limit asks for is said", async () => {
    let refusals = 2; // of the HEAD, and of the GET that reads the reason
    const { registry, target } = registryWith(() =>
      refusals-- > 0 ? errorResponse(429, "TOOMANYREQUESTS", "x", { "retry-after": "1" }) : undefined,
    );
    using _ = registry;
    const repository = open(registry.host, "a/b:1", undefined, { retry: { ...retry, maxDelayMs: 1000 } });
    const said: number[] = [];
    expect(await repository.resolve(never, (seconds) => said.push(seconds))).toEqual(target);
    expect(said).toEqual([1]);
  });

  test("429 with Retry-After and 500 are waited out", async () => {
    const answers = [
      errorResponse(429, "TOOMANYREQUESTS", "x", { "retry-after": "0" }),
      new Response("", { status: 500 }),
    ];
    const { registry, blob } = registryWith(() => answers.shift());
    using _ = registry;
    expect(await download(open(registry.host), blob)).toBe("0123456789");
    expect(registry.requests).toHaveLength(3);
  });

  test("a Retry-After that is too long is not waited for", async () => {
    const { registry, blob } = registryWith(() =>
      errorResponse(429, "TOOMANYREQUESTS", "come back tomorrow", { "retry-after": "86400" }),
    );
    using _ = registry;
    const error = await failure(download(open(registry.host), blob));
    expect(error.message).toContain("toomanyrequests: come back tomorrow");
    expect(registry.requests).toHaveLength(1);
  });

  test("a blob that breaks off is taken up where it broke off", async () => {
    const whole = bytes("0123456789");
    const blob = { mediaType: "", digest: digestOf(whole), size: whole.length };
    const ranges: string[] = [];
    using server = rawServer((request) => {
      if (!request.startsWith("GET")) return "HTTP/1.1 400 Bad Request\r\n\r\n";
      const start = Number(/range: bytes=(\d+)-/i.exec(request)?.[1] ?? 0);
      ranges.push(String(start));
      const head =
        start > 0
          ? `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${start}-9/10\r\n`
          : "HTTP/1.1 200 OK\r\n";
      return `${head}Content-Length: ${10 - start}\r\n\r\n${"0123456789".slice(start, start + 4)}`;
    });
    // A connection that is closed right after its last bytes can lose them on the way: then they are asked for again.
    const patient = { ...retry, attempts: 20 };
    expect(await download(open(server.host, "a/b", undefined, { retry: patient }), blob)).toBe("0123456789");
    expect([...new Set(ranges)]).toEqual(["0", "4", "8"]);
  });
});

describe("a registry that lies", () => {
  test("a manifest with another digest", async () => {
    const { registry, target } = registryWith((request) =>
      request.method === "GET" ? new Response(`{"schemaVersion":2}`) : undefined,
    );
    using _ = registry;
    const error = await failure(open(registry.host).manifest(target, never));
    expect(error.message).toBe(`manifest verification failed for digest ${target.digest}`);
  });

  test("a manifest without end", async () => {
    const { registry, target } = registryWith((request) =>
      request.method === "GET" ? endless() : undefined,
    );
    using _ = registry;
    const error = await failure(open(registry.host).manifest(target, never));
    expect(error.message).toContain("answer of more than 4194304 bytes");
  });

  test("a blob of another length is refused before it comes", async () => {
    const { registry, blob } = registryWith();
    using _ = registry;
    const error = await failure(download(open(registry.host), { ...blob, size: 11 }));
    expect(error.message).toBe(
      `download of ${blob.digest} failed: blob ${blob.digest} should have 11 bytes, the server offers 10`,
    );
  });

  test("a range that begins elsewhere is refused", async () => {
    const { registry, blob } = registryWith(
      () => new Response("56789", { status: 206, headers: { "content-range": "bytes 5-9/10" } }),
    );
    using _ = registry;
    const error = await failure(download(open(registry.host), blob, 3));
    expect(error.message).toContain("should have 10 bytes, the server offers bytes 5-9/10");
  });

  test("a blob that always breaks off is given up, and named", async () => {
    using server = rawServer(() => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    const blob = { mediaType: "", digest: digestOf("x"), size: 10 };
    const error = await failure(download(open(server.host), blob));
    expect(error.message).toStartWith(`download of ${blob.digest} failed: Get "http`);
    expect(error.message).toEndWith("unexpected EOF");
    expect(error.kind).toBe("Unavailable");
  });

  test("a body that stands still is given up", async () => {
    const { registry, blob } = registryWith(() => new Response(stalling(bytes("012"))));
    using _ = registry;
    const error = await failure(download(open(registry.host, "a/b", undefined, { idleTimeoutMs: 20 }), blob));
    expect(error.message).toContain("i/o timeout while reading the body");
    expect(error.code).toBe("registry.timeout");
  });

  test("headers that never come are given up", async () => {
    using server = rawServer((request) =>
      request.startsWith("GET") ? undefined : "HTTP/1.1 400 Bad Request\r\n\r\n",
    );
    const blob = { mediaType: "", digest: digestOf("x"), size: 10 };
    const repository = open(server.host, "a/b", undefined, { responseTimeoutMs: 20 });
    const error = await failure(download(repository, blob));
    expect(error.message).toContain("net/http: timeout awaiting response headers");
  });
});

test("a login gives the identity token that the token server has for the password", async () => {
  const { registry } = registryWith((request, { authorization }) => {
    const url = new URL(request.url);
    if (url.pathname === "/token") {
      const isLogin = url.searchParams.get("offline_token") === "true";
      return Response.json({ token: "good", ...(isLogin ? { refresh_token: "identity" } : {}) });
    }
    if (authorization === "Bearer good") return new Response("{}");
    return new Response(null, {
      status: 401,
      headers: { "www-authenticate": `Bearer realm="${url.origin}/token",service="s"` },
    });
  });
  using _ = registry;
  const client = new RegistryClient({ userAgent: "test", retry });
  const credentials = { username: "ann", password: "x" };
  expect(await client.login(registry.host, credentials, never)).toBe("identity");
});

test("an abort ends a download with its own reason", async () => {
  const { registry, blob } = registryWith(() => new Response(stalling(bytes("012"))));
  using _ = registry;
  const abort = new AbortController();
  const reason = new Error("enough");
  const work = (async () => {
    for await (const _part of open(registry.host).blob(blob, 0, abort.signal)) abort.abort(reason);
  })();
  expect(await work.catch((error: unknown) => error)).toBe(reason);
});

describe("redirects", () => {
  test("are followed without credentials to another host, and with them to the same", async () => {
    using storage = new FakeRegistry(() => blobResponse(bytes("0123456789"), null));
    const { registry, blob } = registryWith((request, seen) => {
      if (seen.authorization === null) return basicChallenge();
      if (!request.url.includes("/blobs/")) return undefined;
      return request.url.endsWith("?again")
        ? Response.redirect(`http://${storage.host}/signed`, 307)
        : Response.redirect(`${request.url}?again`, 307);
    });
    using _ = registry;
    const repository = open(registry.host, "a/b", { username: "u", password: "p" });
    expect(await download(repository, blob)).toBe("0123456789");
    expect(registry.requests.map((request) => request.authorization)).toEqual([
      null,
      "Basic dTpw",
      "Basic dTpw",
    ]);
    expect(storage.requests.map((request) => request.authorization)).toEqual([null]);
  });

  test("in a circle are given up", async () => {
    const { registry, blob } = registryWith((request) => Response.redirect(request.url, 307));
    using _ = registry;
    expect((await failure(download(open(registry.host), blob))).message).toContain("more than 10 redirects");
  });
});

describe("credentials", () => {
  test("basic: asked once, then sent at once", async () => {
    const { registry, target } = registryWith((_, seen) =>
      seen.authorization === "Basic dTpw" ? undefined : basicChallenge(),
    );
    using _ = registry;
    const repository = open(registry.host, "a/b:1", { username: "u", password: "p" });
    expect(await repository.resolve(never)).toEqual(target);
    await repository.manifest(target, never);
    expect(registry.requests.map((request) => request.authorization)).toEqual([
      null,
      "Basic dTpw",
      "Basic dTpw",
    ]);
  });

  test("basic without credentials, and with wrong ones", async () => {
    using registry = new FakeRegistry(() => basicChallenge());
    const without = await failure(open(registry.host).resolve(never));
    expect(without.message).toBe(
      `Head "http://${registry.host}/v2/a/b/manifests/1": no basic auth credentials`,
    );
    expect(without.kind).toBe("Unauthorized");
    const wrong = await failure(
      open(registry.host, "a/b:1", { username: "u", password: "x" }).resolve(never),
    );
    expect(wrong.message).toBe("unauthorized: authentication required");
  });

  test("bearer: a token for the scope is asked for once, also by the next pull", async () => {
    using tokens = new FakeRegistry(() => Response.json({ token: "T", expires_in: 300 }));
    const { registry, target } = registryWith((_, seen) =>
      seen.authorization === "Bearer T" ? undefined : bearerChallenge(tokens.host),
    );
    using _ = registry;
    const client = new RegistryClient({ userAgent: "test", retry });
    for (let round = 0; round < 2; round++) {
      const repository = client.repository(parseReference(`${registry.host}/a/b:1`), {
        username: "u",
        password: "p",
      });
      expect(await repository.resolve(never)).toEqual(target);
    }
    expect(tokens.requests).toEqual([
      {
        method: "GET",
        path: "/token?service=S&scope=repository%3Aa%2Fb%3Apull&client_id=gantry&account=u",
        authorization: "Basic dTpw",
        range: null,
      },
    ]);
  });

  test("bearer: a token that is refused before its time is replaced", async () => {
    let valid = 0;
    using tokens = new FakeRegistry(() => Response.json({ access_token: `T${++valid}` }));
    const { registry, target } = registryWith((_, seen) =>
      seen.authorization === `Bearer T${valid}` ? undefined : bearerChallenge(tokens.host),
    );
    using _ = registry;
    const repository = open(registry.host);
    await repository.resolve(never);
    valid++;
    await repository.manifest(target, never);
    expect(tokens.requests).toHaveLength(2);
  });

  test("an identity token is exchanged by POST", async () => {
    let form = "";
    using tokens = new FakeRegistry(async (request) => {
      form = await request.text();
      return Response.json({ access_token: "T" });
    });
    const { registry, target } = registryWith((_, seen) =>
      seen.authorization === "Bearer T" ? undefined : bearerChallenge(tokens.host),
    );
    using _ = registry;
    expect(await open(registry.host, "a/b:1", { identitytoken: "I" }).resolve(never)).toEqual(target);
    expect(tokens.requests[0]?.method).toBe("POST");
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: "refresh_token",
      service: "S",
      client_id: "gantry",
      scope: "repository:a/b:pull",
      refresh_token: "I",
    });
  });

  test("a registry token is sent as it is", async () => {
    const { registry, target } = registryWith((_, seen) =>
      seen.authorization === "Bearer R" ? undefined : bearerChallenge("unused.invalid"),
    );
    using _ = registry;
    expect(await open(registry.host, "a/b:1", { registrytoken: "R" }).resolve(never)).toEqual(target);
  });

  test("a token server that refuses, and one that makes no sense", async () => {
    using refusing = new FakeRegistry(() =>
      errorResponse(401, "UNAUTHORIZED", "incorrect username or password"),
    );
    using senseless = new FakeRegistry(() => Response.json({}));
    const resolveWith = (realm: string) => {
      const registry = new FakeRegistry(() => bearerChallenge(realm));
      return failure(open(registry.host).resolve(never)).finally(() => registry[Symbol.dispose]());
    };
    const refused = await resolveWith(refusing.host);
    expect(refused.message).toBe(
      `Get "http://${refusing.host}/token": unauthorized: incorrect username or password`,
    );
    expect(refused.kind).toBe("Unauthorized");
    expect((await resolveWith(senseless.host)).message).toContain("token is missing");
  });

  test("a token without enough rights is a denied access", async () => {
    using tokens = new FakeRegistry(() => Response.json({ token: "T" }));
    using registry = new FakeRegistry(() => bearerChallenge(tokens.host, ',error="insufficient_scope"'));
    const error = await failure(open(registry.host).resolve(never));
    expect(error.message).toStartWith(
      `pull access denied for ${registry.host}/a/b, repository does not exist`,
    );
  });
});

function basicChallenge(): Response {
  return new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="R"' } });
}

function bearerChallenge(tokenHost: string, more = ""): Response {
  const challenge = `Bearer realm="http://${tokenHost}/token",service="S",scope="repository:a/b:pull"${more}`;
  return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
}

/** Sends `first` and then nothing, without ending. */
function stalling(first: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(first) });
}

function endless(): Response {
  const chunk = new Uint8Array(1 << 20);
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
}

test("a next page of tags that is no address is the registry's failure", async () => {
  using registry = new FakeRegistry(() =>
    Response.json({ tags: ["1"] }, { headers: { link: '<http://[>; rel="next"' } }),
  );
  expect(await failure(open(registry.host).tags(never))).toMatchObject({
    kind: "Unavailable",
    message: 'the registry names a next page that is no address: "http://["',
  });
});
