import { describe, expect, test } from "bun:test";
import type { BlobUpload } from "../../core/transfer/contract.ts";
import { digestOf } from "../../formats/digest.ts";
import { type Descriptor, mediaTypes } from "../../formats/oci-image.ts";
import { parseReference } from "../../formats/reference.ts";
import { errorResponse, FakeRegistry, type Script } from "./fake-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const never = new AbortController().signal;
const retry = { attempts: 3, firstDelayMs: 1, maxDelayMs: 50 };
const content = new TextEncoder().encode("0123456789");
const blob: Descriptor = { mediaType: "application/x", digest: digestOf(content), size: content.length };

/** Takes uploads at `/upload/N`; `answers` can stand before it. */
function taker(before: Script = () => undefined) {
  const taken: string[] = [];
  const script: Script = async (request, seen) => {
    const answer = await before(request, seen);
    if (answer) return answer;
    const { method, path } = seen;
    if (method === "POST")
      return new Response(null, { status: 202, headers: { location: "/upload/1?state=x" } });
    if (method === "DELETE") return new Response(null, { status: 204 });
    if (method === "PUT") {
      taken.push(`${path} ${request.headers.get("content-length")} ${await request.text()}`);
      return new Response(null, { status: 201 });
    }
    return undefined;
  };
  return { script, taken };
}

function upload(options: Partial<BlobUpload> = {}): BlobUpload {
  return {
    descriptor: blob,
    open: async function* () {
      yield content.slice(0, 4);
      yield content.slice(4);
    },
    mountFrom: [],
    onProgress: () => {},
    onRetry: () => {},
    signal: never,
    ...options,
  };
}

const uploads = (registry: FakeRegistry, mountFrom: string[] = []) =>
  new RegistryClient({ userAgent: "test", retry }).uploads(
    parseReference(`${registry.host}/a/b:1`),
    undefined,
    mountFrom,
  );

const calls = (registry: FakeRegistry) => registry.requests.map(({ method, path }) => `${method} ${path}`);
const digestQuery = encodeURIComponent(blob.digest);

describe("a blob", () => {
  test("that the registry has is not sent", async () => {
    using registry = new FakeRegistry();
    registry.addBlob(content);
    expect(await uploads(registry).ensureBlob(upload())).toEqual({ kind: "present" });
    expect(calls(registry)).toEqual([`HEAD /v2/a/b/blobs/${blob.digest}`]);
  });

  test("goes up in one piece, with its length, to where the registry said", async () => {
    const { script, taken } = taker();
    using registry = new FakeRegistry(script);
    const progress: number[] = [];
    const request = upload({ onProgress: (bytes) => progress.push(bytes) });
    expect(await uploads(registry).ensureBlob(request)).toEqual({ kind: "uploaded" });
    expect(taken).toEqual([`/upload/1?state=x&digest=${digestQuery} 10 0123456789`]);
    expect(progress.at(-1)).toBe(10);
  });

  test("is mounted from a repository that has it", async () => {
    const { script, taken } = taker((_, { path }) =>
      path.includes("from=good") ? new Response(null, { status: 201 }) : undefined,
    );
    using registry = new FakeRegistry(script);
    const request = upload({ mountFrom: ["bad", "good"] });
    expect(await uploads(registry).ensureBlob(request)).toEqual({ kind: "mounted", from: "good" });
    expect(taken).toEqual([]);
    expect(calls(registry).slice(1)).toEqual([
      `POST /v2/a/b/blobs/uploads/?mount=${blob.digest}&from=bad`,
      "DELETE /upload/1?state=x",
      `POST /v2/a/b/blobs/uploads/?mount=${blob.digest}&from=good`,
    ]);
  });

  test("uses the upload that a refused mount began", async () => {
    const { script, taken } = taker();
    using registry = new FakeRegistry(script);
    expect(await uploads(registry).ensureBlob(upload({ mountFrom: ["bad"] }))).toEqual({ kind: "uploaded" });
    expect(taken).toHaveLength(1);
    expect(calls(registry).filter((call) => call.startsWith("POST"))).toHaveLength(1);
  });

  test("is sent again from its start when the registry breaks down", async () => {
    let failures = 1;
    const { script, taken } = taker((request) =>
      request.method === "PUT" && failures-- > 0 ? new Response(null, { status: 503 }) : undefined,
    );
    using registry = new FakeRegistry(script);
    const retries: number[] = [];
    await uploads(registry).ensureBlob(upload({ onRetry: (seconds) => retries.push(seconds) }));
    expect(taken.map((each) => each.split(" ").at(-1))).toEqual(["0123456789"]);
    expect(retries).toEqual([1]);
  });

  test("is not sent again when the registry refuses it; the error names it", async () => {
    const { script } = taker((request) =>
      request.method === "PUT" ? errorResponse(400, "DIGEST_INVALID", "not what it says") : undefined,
    );
    using registry = new FakeRegistry(script);
    const sent = uploads(registry).ensureBlob(upload());
    await expect(sent).rejects.toThrow(`upload of ${blob.digest} failed: digest invalid: not what it says`);
    expect(calls(registry).filter((call) => call.startsWith("PUT"))).toHaveLength(1);
  });

  test("an upload that the caller gives up ends with the caller's reason", async () => {
    const abort = new AbortController();
    const { script } = taker((request) => {
      if (request.method === "PUT") abort.abort(new Error("no more"));
      return undefined;
    });
    using registry = new FakeRegistry(script);
    await expect(uploads(registry).ensureBlob(upload({ signal: abort.signal }))).rejects.toThrow("no more");
  });
});

describe("authentication", () => {
  test("the token is asked for with everything that the push needs, whatever the challenge says", async () => {
    const scopes: string[][] = [];
    const { script, taken } = taker((request, { authorization }) => {
      const url = new URL(request.url);
      if (url.pathname === "/token") {
        scopes.push(url.searchParams.getAll("scope"));
        return Response.json({ token: "good", expires_in: 300 });
      }
      if (authorization === "Bearer good") return undefined;
      const challenge = `Bearer realm="${url.origin}/token",service="s",scope="repository:a/b:pull"`;
      return errorResponse(401, "UNAUTHORIZED", "no", { "www-authenticate": challenge });
    });
    using registry = new FakeRegistry(script);
    await uploads(registry, ["c"]).ensureBlob(upload());
    expect(scopes).toEqual([["repository:a/b:pull,push", "repository:c:pull"]]);
    expect(taken).toHaveLength(1);
  });

  test("is not shown to another host that takes the bytes", async () => {
    const seen: (string | null)[] = [];
    using storage = new FakeRegistry((request, { authorization }) => {
      seen.push(authorization);
      return new Response(null, { status: request.method === "PUT" ? 201 : 500 });
    });
    using registry = new FakeRegistry((request, { authorization }) => {
      if (authorization === null) {
        return errorResponse(401, "UNAUTHORIZED", "no", { "www-authenticate": 'Basic realm="x"' });
      }
      if (request.method !== "POST") return undefined;
      return new Response(null, { status: 202, headers: { location: `http://${storage.host}/put` } });
    });
    const client = new RegistryClient({ userAgent: "test", retry });
    const credentials = { username: "ann", password: "x" };
    const target = client.uploads(parseReference(`${registry.host}/a/b:1`), credentials, []);
    await target.ensureBlob(upload());
    expect(seen).toEqual([null]);
  });
});

describe("a manifest", () => {
  const bytes = new TextEncoder().encode("{}");
  const manifest: Descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: 2 };

  test("goes up as it is, with its media type", async () => {
    const types: (string | null)[] = [];
    const { script, taken } = taker((request) => {
      types.push(request.headers.get("content-type"));
      return undefined;
    });
    using registry = new FakeRegistry(script);
    await uploads(registry).putManifest("1", manifest, bytes, never);
    expect(taken).toEqual(["/v2/a/b/manifests/1 2 {}"]);
    expect(types).toEqual([mediaTypes.ociManifest]);
  });

  test("that the registry stored under another digest is an error", async () => {
    using registry = new FakeRegistry(
      () => new Response(null, { status: 201, headers: { "docker-content-digest": "sha256:other" } }),
    );
    const put = uploads(registry).putManifest("1", manifest, bytes, never);
    await expect(put).rejects.toThrow(
      `the registry stored sha256:other instead of manifest ${manifest.digest}`,
    );
  });

  test("a refusal says what would help", async () => {
    using registry = new FakeRegistry(() => errorResponse(403, "DENIED", "requested access is denied"));
    const put = uploads(registry).putManifest("1", manifest, bytes, never);
    await expect(put).rejects.toMatchObject({
      message: "denied: requested access is denied",
      hint: `log in with an account that may write to ${registry.host}/a/b`,
    });
  });
});

test("an upload that cannot be given up does not end the push", async () => {
  const { script, taken } = taker((_, { path }) =>
    path.includes("from=gone")
      ? new Response(null, { status: 202, headers: { location: "http://127.0.0.1:1/upload" } })
      : undefined,
  );
  using registry = new FakeRegistry(script);
  const mountFrom = ["gone", "other"];
  const outcome = await uploads(registry, mountFrom).ensureBlob(upload({ mountFrom }));
  expect([outcome.kind, taken.length]).toEqual(["uploaded", 1]);
});
