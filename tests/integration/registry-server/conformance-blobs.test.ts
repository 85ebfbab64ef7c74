import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { codeOf, digestOf, GantryRegistry } from "./gantry-registry.ts";

/**
 * What distribution-spec's own suite asks of blobs, for each way to push them and each algorithm: the digest header, a
 * `Location` that can be read, HEAD and GET, deletion that counts at once, and digests that are lies.
 */

let registry: GantryRegistry;
beforeAll(async () => {
  registry = await GantryRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());

const name = "conformance/repo1";
const other = "conformance/repo2";
const octets = { "Content-Type": "application/octet-stream" };
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const withDigest = (location: string, digest: string) =>
  `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
const locationOf = (reply: Response) => reply.headers.get("location") ?? "no location";

async function start(query = ""): Promise<string> {
  const reply = await registry.fetch(`/v2/${name}/blobs/uploads/${query}`, {
    method: "POST",
    headers: { "Content-Length": "0" },
  });
  expect(reply.status).toBe(202);
  return locationOf(reply);
}

const send = (method: "PATCH" | "PUT", location: string, bytes: Uint8Array<ArrayBuffer>, range?: string) =>
  registry.fetch(location, {
    method,
    headers: { ...octets, ...(range !== undefined && { "Content-Range": range }) },
    body: bytes,
  });

type Push = (bytes: Uint8Array<ArrayBuffer>, digest: string) => Promise<Response>;

/** Three chunks. `isLastPut`: the last one comes with the PUT; `isUnruly`: each one is tried at a wrong place first. */
function inChunks({ isLastPut = false, isUnruly = false }): Push {
  return async (bytes, digest) => {
    const size = Math.ceil(bytes.length / 3);
    let location = await start();
    for (let first = 0; first < bytes.length; first += size) {
      const last = Math.min(first + size, bytes.length) - 1;
      if (isUnruly) {
        const wrong = first + size < bytes.length ? first + size : 0;
        const chunk = bytes.slice(wrong, wrong + size);
        const early = await send("PATCH", location, chunk, `${wrong}-${wrong + chunk.length - 1}`);
        expect(early.status).toBe(416);
        const status = await registry.fetch(location);
        expect([status.status, status.headers.get("range")]).toEqual([204, `0-${Math.max(first - 1, 0)}`]);
        location = locationOf(status);
      }
      const range = `${first}-${last}`;
      if (isLastPut && last === bytes.length - 1)
        return await send("PUT", withDigest(location, digest), bytes.slice(first), range);
      const reply = await send("PATCH", location, bytes.slice(first, last + 1), range);
      expect([reply.status, reply.headers.get("range")]).toEqual([202, `0-${last}`]);
      location = locationOf(reply);
    }
    return await send("PUT", withDigest(location, digest), new Uint8Array());
  };
}

const pushes: Readonly<Record<string, Push>> = {
  "POST alone": (bytes, digest) =>
    registry.fetch(withDigest(`/v2/${name}/blobs/uploads/`, digest), {
      method: "POST",
      headers: octets,
      body: bytes,
    }),
  "POST and PUT": async (bytes, digest) => await send("PUT", withDigest(await start(), digest), bytes),
  "POST with the algorithm, and PUT": async (bytes, digest) =>
    await send("PUT", withDigest(await start(`?digest-algorithm=${digest.split(":")[0]}`), digest), bytes),
  "a stream without Content-Range": async (bytes, digest) => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, 100));
        controller.enqueue(bytes.slice(100));
        controller.close();
      },
    });
    const reply = await registry.fetch(await start(), { method: "PATCH", headers: octets, body: stream });
    expect(reply.status).toBe(202);
    return await send("PUT", withDigest(locationOf(reply), digest), new Uint8Array());
  },
  chunks: inChunks({}),
  "chunks, the last with PUT": inChunks({ isLastPut: true }),
  "chunks out of order": inChunks({ isUnruly: true }),
  "chunks out of order, the last with PUT": inChunks({ isLastPut: true, isUnruly: true }),
};

async function expectBlob(digest: string, bytes: Uint8Array, location = `/v2/${name}/blobs/${digest}`) {
  for (const method of ["HEAD", "GET"]) {
    const reply = await registry.fetch(location, { method });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("docker-content-digest")).toBe(digest);
    expect(reply.headers.get("content-length")).toBe(String(bytes.length));
    expect(await reply.bytes()).toEqual(method === "HEAD" ? new Uint8Array() : new Uint8Array(bytes));
  }
}

async function expectGone(digest: string, from = name) {
  const path = `/v2/${from}/blobs/${digest}`;
  expect((await registry.fetch(path, { method: "DELETE" })).status).toBe(202);
  expect((await registry.fetch(path, { method: "HEAD" })).status).toBe(404);
}

describe.each(["sha256", "sha512"] as const)("%s", (algorithm) => {
  test.each(Object.entries(pushes))("a blob comes by %s", async (_way, push) => {
    const bytes = randomBytes(3067);
    const digest = digestOf(bytes, algorithm);
    const reply = await push(bytes, digest);
    expect([reply.status, reply.headers.get("docker-content-digest")]).toEqual([201, digest]);
    await expectBlob(digest, bytes, locationOf(reply));
    await expectGone(digest);
  });

  test.each(Object.entries(pushes))("a digest that is a lie is refused: %s", async (_way, push) => {
    const digest = digestOf(randomBytes(8), algorithm);
    const reply = await push(randomBytes(3067), digest);
    expect([reply.status, await codeOf(reply)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.fetch(`/v2/${name}/blobs/${digest}`)).status).toBe(404);
  });

  test.each(["", "{}"])("the blob %p is like any other, by every way", async (text) => {
    const bytes = new Uint8Array(Buffer.from(text));
    const digest = digestOf(bytes, algorithm);
    for (const push of [pushes["POST alone"], pushes["POST and PUT"], pushes.chunks]) {
      expect((await push?.(bytes, digest))?.status).toBe(201);
      await expectBlob(digest, bytes);
      await expectGone(digest);
    }
  });

  describe("a mount", () => {
    const mount = (digest: string, from?: string) =>
      registry.fetch(
        `/v2/${name}/blobs/uploads/?mount=${digest}${from === undefined ? "" : `&from=${from}`}`,
        { method: "POST" },
      );

    test.each([other, undefined])("from %p needs no bytes", async (from) => {
      const bytes = randomBytes(512);
      const digest = digestOf(bytes, algorithm);
      await registry.fetch(withDigest(`/v2/${other}/blobs/uploads/`, digest), {
        method: "POST",
        body: bytes,
      });
      const reply = await mount(digest, from);
      expect([reply.status, reply.headers.get("docker-content-digest")]).toEqual([201, digest]);
      await expectBlob(digest, bytes, locationOf(reply));
      await expectGone(digest);
      await expectGone(digest, other);
      expect((await mount(digest, from)).status).toBe(202); // nobody has it any more
    });

    test.each([other, "no/such/repository", "NO NAME", ""])(
      "from %p of what is not there begins an upload",
      async (from) => {
        const bytes = randomBytes(512);
        const digest = digestOf(bytes, algorithm);
        const reply = await mount(digest, encodeURIComponent(from));
        expect(reply.status).toBe(202);
        expect((await send("PUT", withDigest(locationOf(reply), digest), bytes)).status).toBe(201);
        await expectGone(digest);
      },
    );
  });

  test.each([
    ["bytes=500-1499", 206, 500, 1500],
    ["bytes=500-", 206, 500, 2048],
    ["bytes=-500", 206, 1548, 2048],
    ["bytes=2000-5000", 206, 2000, 2048],
    ["bytes=500-0", 416, 0, 0],
    ["bytes=5000-10000", 416, 0, 0],
  ] as const)("the range %s is answered with %d", async (range, status, begin, end) => {
    const bytes = randomBytes(2048);
    const digest = digestOf(bytes, algorithm);
    await pushes["POST alone"]?.(bytes, digest);
    const reply = await registry.fetch(`/v2/${name}/blobs/${digest}`, { headers: { Range: range } });
    expect(reply.status).toBe(status);
    if (status === 206) {
      expect(reply.headers.get("content-range")).toBe(`bytes ${begin}-${end - 1}/2048`);
      expect(reply.headers.get("content-length")).toBe(String(end - begin));
      expect(await reply.bytes()).toEqual(bytes.slice(begin, end));
    } else {
      expect(reply.headers.get("content-range")).toBe("bytes */2048");
    }
  });
});

test("an upload that is given up is gone", async () => {
  const location = await start();
  expect((await registry.fetch(location, { method: "DELETE" })).status).toBe(204);
  for (const method of ["GET", "DELETE"]) {
    const reply = await registry.fetch(location, { method });
    expect([reply.status, await codeOf(reply)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  }
});
