import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  codeOf,
  digestOf,
  GantryRegistry,
  makeManifest,
  manifestType,
  pushBlob,
  putManifest,
} from "./gantry-registry.ts";

let registry: GantryRegistry;
beforeAll(async () => {
  registry = await GantryRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());

const absent = digestOf("nowhere");
const text = (reply: Response) => reply.text();

async function startUpload(name: string): Promise<string> {
  const reply = await registry.fetch(`/v2/${name}/blobs/uploads/`, { method: "POST" });
  expect(reply.status).toBe(202);
  expect(reply.headers.get("range")).toBe("0-0");
  return reply.headers.get("location") ?? "";
}

const chunk = (location: string, body: string, range?: string) =>
  registry.fetch(location, {
    method: "PATCH",
    body,
    headers: { "Content-Type": "application/octet-stream", ...(range && { "Content-Range": range }) },
  });

describe("blobs", () => {
  test("are pushed in one request, and read whole, by HEAD and by range", async () => {
    const digest = await pushBlob(registry, "team/app", "0123456789");
    const path = `/v2/team/app/blobs/${digest}`;
    const whole = await registry.fetch(path);
    expect([whole.status, await text(whole)]).toEqual([200, "0123456789"]);
    expect(whole.headers.get("docker-content-digest")).toBe(digest);
    expect(whole.headers.get("x-content-type-options")).toBe("nosniff");
    const head = await registry.fetch(path, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
    const fresh = await registry.fetch(path, { headers: { "If-None-Match": `"${digest}"` } });
    expect(fresh.status).toBe(304);
  });

  test.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=0-1,4-5", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ] as const)("range %s is answered with %d %s", async (range, status, content, contentRange) => {
    const digest = await pushBlob(registry, "ranges", "0123456789");
    const reply = await registry.fetch(`/v2/ranges/blobs/${digest}`, { headers: { Range: range } });
    expect([reply.status, await text(reply)]).toEqual([status, content]);
    expect(reply.headers.get("content-range")).toBe(contentRange);
  });

  test("a range behind the end is refused", async () => {
    const digest = await pushBlob(registry, "ranges", "0123456789");
    const reply = await registry.fetch(`/v2/ranges/blobs/${digest}`, { headers: { Range: "bytes=10-" } });
    expect([reply.status, await codeOf(reply)]).toEqual([416, "RANGE_INVALID"]);
    expect(reply.headers.get("content-range")).toBe("bytes */10");
  });

  test("are pushed in chunks; one out of order is refused, and the upload goes on", async () => {
    const location = await startUpload("chunks");
    expect((await chunk(location, "hello ", "0-5")).headers.get("range")).toBe("0-5");
    const early = await chunk(location, "!", "11-11");
    expect([early.status, early.headers.get("range")]).toEqual([416, "0-5"]);
    const wrong = await chunk(location, "world", "6-20");
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, "SIZE_INVALID"]);
    const status = await registry.fetch(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-5"]);
    expect((await chunk(location, "world")).status).toBe(202); // a stream without Content-Range
    const digest = digestOf("hello world!");
    const end = await registry.fetch(`${location}?digest=${digest}`, {
      method: "PUT",
      body: "!",
      headers: { "Content-Range": "11-11" },
    });
    expect([end.status, end.headers.get("location")]).toEqual([201, `/v2/chunks/blobs/${digest}`]);
    expect(await text(await registry.fetch(`/v2/chunks/blobs/${digest}`))).toBe("hello world!");
    expect((await registry.fetch(location)).status).toBe(404);
  });

  test("sha512 works as sha256 does", async () => {
    const digest = digestOf("long", "sha512");
    const start = await registry.fetch("/v2/wide/blobs/uploads/?digest-algorithm=sha512", { method: "POST" });
    const location = start.headers.get("location") ?? "";
    const end = await registry.fetch(`${location}?digest=${digest}`, { method: "PUT", body: "long" });
    expect(end.status).toBe(201);
    expect(await text(await registry.fetch(`/v2/wide/blobs/${digest}`))).toBe("long");
  });

  test("a wrong digest is refused, and nothing has the promised name", async () => {
    const location = await startUpload("liar");
    const reply = await registry.fetch(`${location}?digest=${absent}`, { method: "PUT", body: "x" });
    expect([reply.status, await codeOf(reply)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.fetch(`/v2/liar/blobs/${absent}`)).status).toBe(404);
  });

  test("an upload is cancelled, and belongs to its repository", async () => {
    const location = await startUpload("mine");
    const foreign = location.replace("/mine/", "/theirs/");
    expect(await codeOf(await registry.fetch(foreign, { method: "PATCH", body: "x" }))).toBe(
      "BLOB_UPLOAD_UNKNOWN",
    );
    expect((await registry.fetch(location, { method: "DELETE" })).status).toBe(204);
    expect((await registry.fetch(location)).status).toBe(404);
  });

  test("are mounted from another repository, and survive there when one of both deletes them", async () => {
    const digest = await pushBlob(registry, "origin", "shared");
    const mount = (from: string, wanted: string) =>
      registry.fetch(`/v2/copy/blobs/uploads/?mount=${wanted}&from=${from}`, { method: "POST" });
    const mounted = await mount("origin", digest);
    expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/copy/blobs/${digest}`]);
    expect((await mount("origin", absent)).status).toBe(202);
    expect((await registry.fetch(`/v2/third/blobs/${digest}`)).status).toBe(404); // not everybody's
    const remove = () => registry.fetch(`/v2/origin/blobs/${digest}`, { method: "DELETE" });
    expect((await remove()).status).toBe(202);
    expect((await remove()).status).toBe(404);
    expect(await text(await registry.fetch(`/v2/copy/blobs/${digest}`))).toBe("shared");
  });
});

describe("manifests", () => {
  test("come back as the exact bytes with their media type", async () => {
    const manifest = `${await makeManifest(registry, "exact")}\n \n`;
    const put = await putManifest(registry, "exact", "v1", manifest);
    const digest = digestOf(manifest);
    expect([put.status, put.headers.get("docker-content-digest")]).toEqual([201, digest]);
    expect(put.headers.get("location")).toBe(`/v2/exact/manifests/${digest}`);
    for (const reference of ["v1", digest]) {
      const reply = await registry.fetch(`/v2/exact/manifests/${reference}`);
      expect([reply.headers.get("content-type"), await text(reply)]).toEqual([manifestType, manifest]);
      const head = await registry.fetch(`/v2/exact/manifests/${reference}`, { method: "HEAD" });
      expect(head.headers.get("content-length")).toBe(String(manifest.length));
      expect(head.headers.get("docker-content-digest")).toBe(digest);
    }
  });

  test("by digest take tags along", async () => {
    const manifest = await makeManifest(registry, "tagged");
    const put = await putManifest(registry, "tagged", `${digestOf(manifest)}?tag=a&tag=b`, manifest);
    expect([put.status, put.headers.get("oci-tag")]).toEqual([201, "a, b"]);
    expect((await registry.fetch("/v2/tagged/manifests/b")).status).toBe(200);
  });

  test("a tag is deleted alone, a digest with its tags", async () => {
    const manifest = await makeManifest(registry, "gone");
    const path = `/v2/gone/manifests/${digestOf(manifest)}`;
    await putManifest(registry, "gone", "one", manifest);
    await putManifest(registry, "gone", "two", manifest);
    expect((await registry.fetch("/v2/gone/manifests/one", { method: "DELETE" })).status).toBe(202);
    expect((await registry.fetch("/v2/gone/manifests/one")).status).toBe(404);
    expect((await registry.fetch(path)).status).toBe(200);
    expect((await registry.fetch(path, { method: "DELETE" })).status).toBe(202);
    expect((await registry.fetch("/v2/gone/manifests/two")).status).toBe(404);
    expect(await (await registry.fetch("/v2/gone/tags/list")).json()).toEqual({ name: "gone", tags: [] });
  });

  test("larger than 4 MiB are refused, just below are taken", async () => {
    const padded = async (bytes: number) =>
      makeManifest(registry, "large", { annotations: { padding: "x".repeat(bytes) } });
    expect((await putManifest(registry, "large", "fits", await padded(4_190_000))).status).toBe(201);
    const refused = await putManifest(registry, "large", "no", await padded(4_194_304));
    expect([refused.status, await codeOf(refused)]).toEqual([413, "SIZE_INVALID"]);
  });
});

describe("lists", () => {
  test("tags are in lexical order, in pages with links", async () => {
    const manifest = await makeManifest(registry, "many");
    for (const tag of ["b", "C", "a", "d"]) await putManifest(registry, "many", tag, manifest);
    const seen: string[] = [];
    let path: string | undefined = "/v2/many/tags/list?n=3";
    for (let pages = 0; path !== undefined; pages++) {
      expect(pages).toBeLessThan(2);
      const reply = await registry.fetch(path);
      seen.push(...((await reply.json()) as { tags: string[] }).tags);
      path = /<([^>]+)>; rel="next"/.exec(reply.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(["a", "b", "C", "d"]);
    const none = await registry.fetch("/v2/many/tags/list?n=0");
    expect([await none.json(), none.headers.get("link")]).toEqual([{ name: "many", tags: [] }, null]);
    const behind = await registry.fetch("/v2/many/tags/list?last=bb");
    expect(((await behind.json()) as { tags: string[] }).tags).toEqual(["C", "d"]);
  });

  test("the catalog names repositories with images, nested ones too", async () => {
    for (const name of ["zoo", "zoo/cat"])
      await putManifest(registry, name, "v1", await makeManifest(registry, name));
    const reply = await registry.fetch("/v2/_catalog?n=1&last=zoo");
    expect(await reply.json()).toEqual({ repositories: ["zoo/cat"] });
  });
});

describe("referrers", () => {
  test("a subject may be missing, is reported, and its referrers are listed and filtered", async () => {
    const subject = { mediaType: manifestType, digest: digestOf("to come"), size: 7 };
    const signature = await makeManifest(registry, "signed", {
      subject,
      artifactType: "application/x.signature",
      annotations: { by: "me" },
    });
    const other = await makeManifest(registry, "signed", { subject });
    for (const manifest of [signature, other]) {
      const put = await putManifest(registry, "signed", digestOf(manifest), manifest);
      expect([put.status, put.headers.get("oci-subject")]).toEqual([201, subject.digest]);
    }
    const list = async (query = "") => {
      const reply = await registry.fetch(`/v2/signed/referrers/${subject.digest}${query}`);
      expect([reply.status, reply.headers.get("content-type")]).toEqual([
        200,
        "application/vnd.oci.image.index.v1+json",
      ]);
      const { manifests } = (await reply.json()) as { manifests: Record<string, unknown>[] };
      return { manifests, filtered: reply.headers.get("oci-filters-applied") };
    };
    const all = await list();
    expect([all.manifests.length, all.filtered]).toEqual([2, null]);
    expect(all.manifests.map(({ artifactType }) => artifactType)).toContain(
      "application/vnd.oci.image.config.v1+json",
    );
    expect(await list("?artifactType=")).toEqual(all); // asks for nothing in particular
    const { manifests, filtered } = await list("?artifactType=application/x.signature");
    expect(filtered).toBe("artifactType");
    expect(manifests).toEqual([
      {
        mediaType: manifestType,
        digest: digestOf(signature),
        size: signature.length,
        artifactType: "application/x.signature",
        annotations: { by: "me" },
      },
    ]);
    await registry.fetch(`/v2/signed/manifests/${digestOf(signature)}`, { method: "DELETE" });
    expect((await list()).manifests).toHaveLength(1);
  });

  test("nothing refers: an empty list, also of an unknown repository", async () => {
    const reply = await registry.fetch(`/v2/nobody/referrers/${absent}`);
    expect([reply.status, ((await reply.json()) as { manifests: [] }).manifests]).toEqual([200, []]);
  });
});

test.each([
  ["GET", "/v2/x/blobs/sha256:zz", undefined, 400, "DIGEST_INVALID"],
  ["GET", `/v2/x/blobs/${absent}`, undefined, 404, "BLOB_UNKNOWN"],
  ["GET", `/v2/UPPER/blobs/${absent}`, undefined, 400, "NAME_INVALID"],
  ["GET", "/v2/a/..%2fb/manifests/v1", undefined, 400, "NAME_INVALID"],
  ["GET", "/v2/x/manifests/v1", undefined, 404, "MANIFEST_UNKNOWN"],
  ["GET", "/v2/x/manifests/.INVALID", undefined, 404, "MANIFEST_UNKNOWN"],
  ["PUT", "/v2/x/manifests/.INVALID", "{}", 400, "TAG_INVALID"],
  ["PUT", "/v2/x/manifests/v1", "{", 400, "MANIFEST_INVALID"],
  ["PUT", "/v2/x/manifests/v1", '{"schemaVersion":1}', 400, "MANIFEST_INVALID"],
  ["PUT", `/v2/x/manifests/${absent}`, "{}", 400, "DIGEST_INVALID"],
  ["DELETE", "/v2/x/manifests/v1", undefined, 404, "MANIFEST_UNKNOWN"],
  ["DELETE", `/v2/x/blobs/${absent}`, undefined, 404, "BLOB_UNKNOWN"],
  ["GET", "/v2/nothing/tags/list", undefined, 404, "NAME_UNKNOWN"],
  ["GET", "/v2/_catalog?n=x", undefined, 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/x/referrers/latest", undefined, 400, "DIGEST_INVALID"],
  ["PATCH", "/v2/x/blobs/uploads/no-such-upload", "x", 404, "BLOB_UPLOAD_UNKNOWN"],
  ["PUT", "/v2/x/blobs/uploads/..%2f..%2fetc", "x", 404, "UNSUPPORTED"],
  ["POST", "/v2/x/blobs/uploads/?digest=md5:1", "x", 400, "DIGEST_INVALID"],
  ["POST", "/v2/x/manifests/v1", "x", 405, "UNSUPPORTED"],
  ["GET", "/v1/search", undefined, 404, "UNSUPPORTED"],
] as const)("%s %s is refused", async (method, path, body, status, code) => {
  const reply = await registry.fetch(path, { method, ...(body !== undefined && { body }) });
  expect([reply.status, await codeOf(reply)]).toEqual([status, code]);
});

describe("documents of every tool are kept", () => {
  const indexType = "application/vnd.oci.image.index.v1+json";
  const put = (tag: string, document: Record<string, unknown>) =>
    registry.fetch(`/v2/tools/manifests/${tag}`, {
      method: "PUT",
      headers: { "Content-Type": String(document.mediaType) },
      body: JSON.stringify(document),
    });
  const index = (...manifests: unknown[]) => ({ schemaVersion: 2, mediaType: indexType, manifests });

  test("an index of layers, as builders export their cache; all of it has to be there", async () => {
    const layer = {
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: await pushBlob(registry, "tools", "cached"),
      size: 6,
    };
    const settings = {
      mediaType: "application/vnd.buildkit.cacheconfig.v0",
      digest: await pushBlob(registry, "tools", "{}"),
      size: 2,
    };
    expect((await put("cache", index(layer, settings))).status).toBe(201);
    const missing = await put("none", index(layer, { ...settings, digest: absent }));
    expect([missing.status, await codeOf(missing)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    const image = await put("image", index({ ...layer, mediaType: manifestType })); // nobody could pull it
    expect([image.status, await codeOf(image)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
  });

  test("lists that are null or missing, and a platform without names", async () => {
    const manifest = JSON.parse(await makeManifest(registry, "tools"));
    for (const layers of [null, undefined, []])
      expect((await put("bare", { ...manifest, layers })).status).toBe(201);
    expect((await put("null", { schemaVersion: 2, mediaType: indexType, manifests: null })).status).toBe(201);
    const bytes = JSON.stringify(manifest);
    await putManifest(registry, "tools", "member", bytes);
    const member = { mediaType: manifestType, digest: digestOf(bytes), size: bytes.length };
    for (const platform of [{}, { architecture: "", os: "" }])
      expect((await put("odd", index({ ...member, platform }))).status).toBe(201);
  });
});

test("a manifest whose blobs are not there is refused by their name", async () => {
  const manifest = await makeManifest(registry, "full");
  const reply = await putManifest(registry, "empty", "v1", manifest);
  expect([reply.status, await codeOf(reply)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
  expect((await registry.fetch("/v2/empty/manifests/v1")).status).toBe(404);
});
