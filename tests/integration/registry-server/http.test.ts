import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { waitFor } from "../../fixtures/wait-for.ts";
import {
  codeOf,
  digestOf,
  GantryRegistry,
  makeManifest,
  manifestType,
  pushBlob,
  putManifest,
} from "./gantry-registry.ts";

/** HTTP itself, as clients and proxies that are not fetch() use it (RFC 9110, RFC 9112). */

let registry: GantryRegistry;
beforeAll(async () => {
  registry = await GantryRegistry.start();
});
afterAll(() => registry[Symbol.asyncDispose]());

/** A connection on which bytes are written by hand. */
class RawConnection implements Disposable {
  private answer = "";
  private readonly socket;

  constructor() {
    const [hostname = "", port = ""] = registry.host.split(":");
    this.socket = connect(Number(port), hostname);
    this.socket.on("data", (chunk) => {
      this.answer += chunk.toString("latin1");
    });
    this.socket.on("error", () => undefined);
  }

  send(line: string, fields: readonly string[] = [], body = ""): void {
    this.socket.write([`${line} HTTP/1.1`, `Host: ${registry.host}`, ...fields, "", body].join("\r\n"));
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** All answers so far, once `wanted` is among them. */
  async until(wanted: string): Promise<string> {
    await waitFor(wanted, () => this.answer.includes(wanted));
    return this.answer;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

describe("a method that a path does not have is refused with those that it has", () => {
  const digest = digestOf("nowhere");
  test.each([
    ["POST", "/v2/", "GET, HEAD"],
    ["DELETE", "/v2/a/tags/list", "GET, HEAD"],
    ["GET", "/v2/a/blobs/uploads/", "POST"],
    ["POST", "/v2/a/blobs/uploads/id", "GET, HEAD, PATCH, PUT, DELETE"],
    ["PUT", `/v2/a/blobs/${digest}`, "GET, HEAD, DELETE"],
    ["PATCH", "/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"],
    ["OPTIONS", `/v2/a/referrers/${digest}`, "GET, HEAD"],
  ])("%s %s: %s", async (method, path, allowed) => {
    const reply = await registry.fetch(path, { method });
    expect([reply.status, await codeOf(reply)]).toEqual([405, "UNSUPPORTED"]);
    expect(reply.headers.get("allow")).toBe(allowed);
  });
});

test("a request names its target with scheme and host, as to a proxy", async () => {
  using connection = new RawConnection();
  connection.send(`GET http://${registry.host}/v2/?x`);
  expect(await connection.until("{}")).toStartWith("HTTP/1.1 200");
});

test("Expect: 100-continue is answered before the body comes", async () => {
  const location = (await registry.fetch("/v2/wait/blobs/uploads/", { method: "POST" })).headers.get(
    "location",
  );
  using connection = new RawConnection();
  connection.send(`PATCH ${location}`, ["Expect: 100-continue", "Content-Length: 4"]);
  await connection.until("HTTP/1.1 100");
  connection.write("body");
  expect(await connection.until("HTTP/1.1 202")).toContain("Range: 0-3");
});

describe("an upload whose connection hangs, as after a change of networks", () => {
  async function hang() {
    const begun = await registry.fetch("/v2/hangs/blobs/uploads/", { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    const connection = new RawConnection();
    connection.send(`PATCH ${location}`, ["Content-Length: 10"], "012");
    await waitFor(
      "the first bytes",
      async () => (await registry.fetch(location)).headers.get("range") === "0-2",
    );
    return { location, [Symbol.dispose]: () => connection[Symbol.dispose]() };
  }

  test("goes on over another one", async () => {
    using upload = await hang();
    const headers = { "Content-Range": "3-9" };
    const rest = await registry.fetch(upload.location, { method: "PATCH", headers, body: "3456789" });
    expect([rest.status, rest.headers.get("range")]).toEqual([202, "0-9"]);
    const digest = digestOf("0123456789");
    expect((await registry.fetch(`${upload.location}?digest=${digest}`, { method: "PUT" })).status).toBe(201);
  });

  test("is given up over another one", async () => {
    using upload = await hang();
    expect((await registry.fetch(upload.location, { method: "DELETE" })).status).toBe(204);
    expect((await registry.fetch(upload.location)).status).toBe(404);
  });
});

test("an idle connection is left open for longer than clients and proxies keep one", async () => {
  using connection = new RawConnection();
  connection.send("GET /v2/");
  const [, seconds] = /Keep-Alive: timeout=(\d+)/.exec(await connection.until("{}")) ?? [];
  expect(Number(seconds)).toBeGreaterThan(90); // Go's clients; nginx and load balancers keep 60
});

test("a connection goes on after a refusal whose body was not read", async () => {
  using connection = new RawConnection();
  const body = "x".repeat(200_000);
  connection.send("PUT /v2/NO/manifests/v1", [`Content-Length: ${body.length}`], body);
  connection.send(
    "PATCH /v2/a/blobs/uploads/unknown",
    ["Transfer-Encoding: chunked"],
    "4\r\nbody\r\n0\r\n\r\n",
  );
  connection.send("GET /v2/_catalog");
  const answers = await connection.until('{"repositories"');
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400", "HTTP/1.1 404", "HTTP/1.1 200"]);
});

test("locations are good behind any host name and scheme: they are paths", async () => {
  const reply = await registry.fetch("/v2/proxied/blobs/uploads/", {
    method: "POST",
    headers: { Host: "images.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "other.example" },
  });
  expect(reply.headers.get("location")).toStartWith("/v2/proxied/blobs/uploads/");
});

describe("conditions", () => {
  test("what a client has already is not sent again, also when a proxy made the tag a weak one", async () => {
    const digest = await pushBlob(registry, "cached", "content");
    for (const [condition, status] of [
      [`"${digest}"`, 304],
      [`W/"${digest}"`, 304],
      [`"other", W/"${digest}"`, 304],
      ["*", 304],
      ['"other"', 200],
    ] as const) {
      const reply = await registry.fetch(`/v2/cached/blobs/${digest}`, {
        headers: { "If-None-Match": condition },
      });
      expect([condition, reply.status]).toEqual([condition, status]);
    }
    const reply = await registry.fetch(`/v2/cached/blobs/${digest}`, { headers: { "If-Match": '"other"' } });
    expect([reply.status, await codeOf(reply)]).toEqual([412, "PRECONDITION_FAILED"]);
  });

  test("a tag is moved, or deleted, only from where the client last saw it", async () => {
    const manifests = await Promise.all(
      ["one", "two", "three"].map((which) => makeManifest(registry, "moved", { annotations: { which } })),
    );
    const [one = "", two = "", three = ""] = manifests;
    const etag = (manifest: string) => `"${digestOf(manifest)}"`;
    const put = async (manifest: string, headers: Record<string, string>, reference = "v1") => {
      const reply = await registry.fetch(`/v2/moved/manifests/${reference}`, {
        method: "PUT",
        headers: { "Content-Type": manifestType, ...headers },
        body: manifest,
      });
      return reply.status;
    };
    expect(await put(one, { "If-Match": "*" })).toBe(412); // there is none
    expect(await put(one, { "If-None-Match": "*" })).toBe(201);
    expect(await put(two, { "If-None-Match": "*" })).toBe(412);
    expect(await put(two, { "If-Match": etag(one) })).toBe(201);
    expect(await put(three, { "If-Match": etag(one) })).toBe(412);
    expect(await put(three, { "If-Match": `W/${etag(two)}` })).toBe(412); // never equal (RFC 9110, "If-Match")
    expect((await registry.fetch("/v2/moved/manifests/v1")).headers.get("etag")).toBe(etag(two));
    expect((await registry.fetch(`/v2/moved/manifests/${digestOf(three)}`)).status).toBe(404);
    const remove = async (condition: string) =>
      (
        await registry.fetch("/v2/moved/manifests/v1", {
          method: "DELETE",
          headers: { "If-Match": condition },
        })
      ).status;
    expect(await remove(etag(one))).toBe(412);
    expect(await remove(etag(two))).toBe(202);
    expect((await putManifest(registry, "moved", "v1", three)).status).toBe(201); // without a condition as ever
  });

  test("of many who make the same tag at once, one does", async () => {
    const manifests = await Promise.all(
      Array.from({ length: 8 }, (_, which) =>
        makeManifest(registry, "race", { annotations: { which: String(which) } }),
      ),
    );
    const replies = await Promise.all(
      manifests.map((body) =>
        registry.fetch("/v2/race/manifests/v1", {
          method: "PUT",
          headers: { "Content-Type": manifestType, "If-None-Match": "*" },
          body,
        }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(412)]);
  });
});
