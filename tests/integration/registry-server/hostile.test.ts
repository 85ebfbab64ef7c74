import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
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

/** Sends bytes as they are; the answer, or what there is of it when the connection ends. */
function raw(request: string): Promise<string> {
  const [hostname = "", port = ""] = registry.host.split(":");
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
  });
  socket.on("close", () => resolve(answer));
  socket.on("error", () => resolve(answer));
  socket.end(request, "latin1");
  return promise;
}

const head = (line: string, ...fields: string[]) =>
  [`${line} HTTP/1.1`, `Host: ${registry.host}`, ...fields, "", ""].join("\r\n");
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
const isAlive = async () => (await registry.fetch("/v2/")).status === 200;
const startUpload = async (name: string) =>
  (await registry.fetch(`/v2/${name}/blobs/uploads/`, { method: "POST" })).headers.get("location") ?? "";

test.each([
  "/v2/../../../../etc/manifests/passwd",
  "/v2/%2e%2e/%2e%2e/etc/manifests/passwd",
  "/v2/a/../b/tags/list",
  "/v2/a//b/tags/list",
  "/v2/_uploads/tags/list",
  "/v2/a/_manifests/tags/list",
  "/v2/a%00b/tags/list",
  "/v2/a/manifests/..",
  "/v2/a/manifests/..%2f..%2fregistry.json",
  "/v2/a/blobs/sha256:..%2f..%2f..%2fregistry.json",
  "/v2/a/referrers/sha256:..%2f..",
  `/v2/${"a".repeat(256)}/tags/list`,
  "/v2/%ff%fe/tags/list",
  "//v2/",
  "http://elsewhere/v2/a/../x/manifests/x",
])("the path %s names nothing", async (path) => {
  const status = statusOf(await raw(head(`GET ${path}`, "Connection: close")));
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
});

test("names that climb are not written either", async () => {
  for (const path of ["/v2/../x/blobs/uploads/", "/v2/a/../../x/blobs/uploads/", "/v2/_x/blobs/uploads/"])
    expect(statusOf(await raw(head(`POST ${path}`, "Content-Length: 0", "Connection: close")))).toBe(400);
  expect(readdirSync(registry.root).sort()).toEqual([
    ...["admin.sock", "content", "drafts", "registry.json", "registry.lock", "repositories"],
  ]);
});

test.each([
  "md5:d41d8cd98f00b204e9800998ecf8427e",
  `sha384:${"0".repeat(96)}`,
  `SHA256:${"0".repeat(64)}`,
  `sha256:${"A".repeat(64)}`,
  `sha256:${"0".repeat(63)}`,
  `sha512:${"0".repeat(64)}`,
])("the digest %s is refused everywhere", async (digest) => {
  const location = await startUpload("digests");
  for (const [method, path] of [
    ["GET", `/v2/digests/blobs/${digest}`],
    ["PUT", `${location}?digest=${digest}`],
    ["PUT", `/v2/digests/manifests/${digest}`],
    ["POST", `/v2/digests/blobs/uploads/?mount=${digest}&from=other`],
    ["GET", `/v2/digests/referrers/${digest}`],
  ] as const) {
    const reply = await registry.fetch(path, { method, ...(method !== "GET" && { body: "x" }) });
    expect([reply.status, await codeOf(reply)]).toEqual([400, "DIGEST_INVALID"]);
  }
});

describe("lengths that are lies", () => {
  test("a body that is shorter than it says names nothing", async () => {
    const whole = `/v2/short/blobs/uploads/?digest=${digestOf("only this")}`;
    await raw(`${head(`POST ${whole}`, "Content-Length: 100")}only this`);
    expect((await registry.fetch(`/v2/short/blobs/${digestOf("only this")}`)).status).toBe(404);
    const manifest = await makeManifest(registry, "short");
    const put = head("PUT /v2/short/manifests/cut", `Content-Type: ${manifestType}`, "Content-Length: 9999");
    await raw(put + manifest);
    expect((await registry.fetch("/v2/short/manifests/cut")).status).toBe(404);
  });

  test.each([
    [["Content-Length: -1"]],
    [["Content-Length: 1e3"]],
    [["Content-Length: 5", "Content-Length: 6"]],
    [["Content-Length: 5", "Transfer-Encoding: chunked"]],
    [["Transfer-Encoding: chunked, chunked"]],
    [["Transfer-Encoding: gzip"]],
  ])("%j is refused, or read as one request", async (fields) => {
    const location = await startUpload("lies");
    const smuggled = "GET /v2/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await raw(`${head(`PATCH ${location}`, ...fields)}0\r\n\r\n${smuggled}`);
    expect(answer.match(/HTTP\/1\.1 2\d\d/g) ?? []).toEqual([]);
    expect(await isAlive()).toBe(true);
  });

  test("the connection of a refused client that goes on sending is closed", async () => {
    const [hostname = "", port = ""] = registry.host.split(":");
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.on("error", resolve).on("close", resolve));
    socket.write(head("PATCH /v2/UPPER/blobs/uploads/x", "Content-Length: 99999999"));
    socket.write(Buffer.alloc(40 << 20)); // less than it promised: it could go on for ever
    await closed;
    expect(await isAlive()).toBe(true);
  });

  test("a chunk that is sent again, or out of place, changes nothing", async () => {
    const location = await startUpload("chunks");
    const patch = (body: string, range: string) =>
      registry.fetch(location, { method: "PATCH", body, headers: { "Content-Range": range } });
    expect((await patch("abc", "0-2")).status).toBe(202);
    for (const [body, range, status] of [
      ["abc", "0-2", 416], // once more
      ["x", "99999999999999-99999999999999", 416],
      ["x", "3-2", 416],
      ["x", "bytes 3-3/4", 416],
      ["xyz", "3-3", 400],
    ] as const)
      expect((await patch(body, range)).status).toBe(status);
    expect((await registry.fetch(location)).headers.get("range")).toBe("0-2");
  });
});

test("a header without end, and one that is too long, are answered and cost nothing more", async () => {
  const long = await raw(head("GET /v2/", `X-Long: ${"x".repeat(1 << 20)}`));
  expect([0, 400, 431]).toContain(statusOf(long));
  const many = await raw(head("GET /v2/", ...Array.from({ length: 20_000 }, (_, index) => `X-${index}: y`)));
  expect([0, 400, 431]).toContain(statusOf(many));
  const url = await raw(head(`GET /v2/${"a".repeat(1 << 20)}/tags/list`));
  expect([0, 400, 414, 431]).toContain(statusOf(url));
  expect(await isAlive()).toBe(true);
});

test.each([
  "bytes=--1",
  "bytes=-",
  "bytes=a-b",
  "bytes=1-2-3",
  `bytes=${Array.from({ length: 20 }, (_, index) => `${index}-${index}`).join(",")}`,
])("a range that is none gets the whole blob: %s", async (range) => {
  const digest = await pushBlob(registry, "ranges", "0123456789");
  const reply = await registry.fetch(`/v2/ranges/blobs/${digest}`, { headers: { Range: range } });
  expect([reply.status, await reply.text()]).toEqual([200, "0123456789"]);
});

test.each([
  ["bytes=99999999999999999999-", 416],
  ["bytes=-0", 416],
  ["bytes=5-2", 416],
  ["bytes=-99999999999999999999", 206],
  ["bytes=0-99999999999999999999", 206],
] as const)("the range %s is answered with %d", async (range, status) => {
  const digest = await pushBlob(registry, "ranges", "0123456789");
  expect((await registry.fetch(`/v2/ranges/blobs/${digest}`, { headers: { Range: range } })).status).toBe(
    status,
  );
});

describe("manifests", () => {
  const index = (...members: string[]) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: members.map((digest) => ({ mediaType: manifestType, digest, size: 1 })),
    });

  test("an index that names what is not there, itself for instance, is refused", async () => {
    const reply = await registry.fetch("/v2/loop/manifests/v1", {
      method: "PUT",
      headers: { "Content-Type": "application/vnd.oci.image.index.v1+json" },
      body: index(digestOf("itself")),
    });
    expect([reply.status, await codeOf(reply)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
  });

  test.each([
    ["nested without end", "[".repeat(4_000_000)],
    ["objects in objects", '{"config":'.repeat(200_000)],
    ["a long number", `{"schemaVersion":${"9".repeat(1_000_000)}}`],
    ["no text", "\u0000\uffff"],
    ["null", "null"],
    ["a list", "[]"],
    ["__proto__", '{"__proto__":{"schemaVersion":2,"config":{}},"layers":[]}'],
  ])("%s is invalid", async (_what, text) => {
    const reply = await putManifest(registry, "bad", "v1", text);
    expect([reply.status, await codeOf(reply)]).toEqual([400, "MANIFEST_INVALID"]);
  });

  test("subjects in a circle are listed, and collected like others", async () => {
    const a = await makeManifest(registry, "circle", {
      subject: { mediaType: manifestType, digest: digestOf("b"), size: 1 },
    });
    expect((await putManifest(registry, "circle", digestOf(a), a)).status).toBe(201);
    const list = await registry.fetch(`/v2/circle/referrers/${digestOf("b")}`);
    expect(((await list.json()) as { manifests: unknown[] }).manifests).toHaveLength(1);
  });
});

test("uploads of others are nobody's, and many that are begun and left cost no memory", async () => {
  const location = await startUpload("mine");
  for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
    const reply = await registry.fetch(location.replace("/mine/", "/theirs/"), {
      method,
      ...(method.startsWith("P") && { body: "x" }),
    });
    expect(reply.status).toBe(404);
  }
  expect((await registry.fetch(location)).status).toBe(204);
  await Promise.all(Array.from({ length: 300 }, () => startUpload("left")));
  expect(
    (await registry.fetch(`${location}?digest=${digestOf("x")}`, { method: "PUT", body: "x" })).status,
  ).toBe(201);
});

test("10,000 tags and 300 repositories are listed in pages", async () => {
  const manifest = await makeManifest(registry, "many");
  await putManifest(registry, "many", "t0", manifest);
  const digest = digestOf(manifest);
  await registry.kill("SIGTERM");
  const repositories = join(registry.root, "repositories");
  for (let index = 1; index < 10_000; index++)
    writeFileSync(join(repositories, "many/_tags", `t${index}`), digest);
  for (let index = 0; index < 300; index++) {
    const folder = join(repositories, `r${index}`, "_manifests");
    mkdirSync(folder, { recursive: true });
    const record = { descriptor: { mediaType: manifestType, digest, size: manifest.length } };
    writeFileSync(join(folder, digest.replace(":", "-")), JSON.stringify(record));
  }
  await registry.boot();
  const all = async (path: string, key: "tags" | "repositories") => {
    const found: string[] = [];
    for (let next: string | undefined = path; next !== undefined; ) {
      const reply = await registry.fetch(next);
      found.push(...((await reply.json()) as Record<typeof key, string[]>)[key]);
      next = /<([^>]+)>/.exec(reply.headers.get("link") ?? "")?.[1];
    }
    return found;
  };
  expect(new Set(await all("/v2/many/tags/list?n=500", "tags")).size).toBe(10_000);
  expect((await all("/v2/_catalog?n=50", "repositories")).length).toBeGreaterThanOrEqual(301);
}, 60_000);
