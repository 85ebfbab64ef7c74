import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ingest } from "../../core/content/contract.ts";
import { FileContentStore } from "../../core/content/file-content-store.ts";
import { digestOf } from "../../formats/digest.ts";
import type { BodyReceiver, PlainGet } from "../../wire/body-receiver.ts";
import { ReceiverThread } from "./receiver-thread.ts";

const never = new AbortController().signal;
const cleanups: (() => void)[] = [];
let directory: string;
let thread: ReceiverThread;
let store: FileContentStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gantry-receive-"));
  thread = new ReceiverThread();
  store = new FileContentStore(directory, thread);
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  thread[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

/** A server that hands the text of each request to `reply`. */
async function serve(reply: (socket: Socket, request: string) => void) {
  const sockets = new Set<Socket>();
  const seen = { connections: 0 };
  const server: Server = createServer((socket) => {
    seen.connections++;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => reply(socket, bytes.toString("latin1")));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, seen, sockets };
}

const request = (url: string, more: Partial<PlainGet> = {}): PlainGet => ({
  url,
  headers: {},
  tls: { rejectUnauthorized: true },
  proxy: undefined,
  ...more,
});

async function begin(content: string): Promise<{ ingest: Ingest; receiver: BodyReceiver }> {
  const ingest = await store.ingest({ digest: digestOf(content), size: content.length });
  if (ingest?.receiver === undefined) throw new Error("no receiver");
  return { ingest, receiver: ingest.receiver };
}

const answer = (body: string, head = "200 OK") =>
  `HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "it went well",
    (error: Error & { code?: string }) => error.code ?? error.message,
  );

test("a blob goes to its file and is verified, and its growth is told", async () => {
  const { url } = await serve((socket, text) => socket.write(answer(text.split(" ", 2)[1] ?? "")));
  const { ingest, receiver } = await begin("/hello");
  expect(await receiver.get(request(`${url}/hello`), never)).toEqual({
    status: 200,
    statusText: "OK",
    headers: [["content-length", "6"]],
  });
  let reports = 0;
  await receiver.append(0, () => reports++);
  expect(ingest.offset).toBe(6);
  expect(reports).toBe(1);
  for await (const size of ingest.grown) {
    expect(size).toBe(6);
    break;
  }
  await ingest.commit();
  expect(Buffer.from(await store.read(digestOf("/hello"))).toString()).toBe("/hello");
});

test("of a body that nobody takes, a connection's buffers are read and no more", async () => {
  const length = 256 << 20;
  let accepted = 0;
  const piece = new Uint8Array(64 << 10);
  const { url } = await serve((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    const more = () => {
      while (accepted < length && socket.write(piece)) accepted += piece.length;
    };
    socket.on("drain", more);
    more();
  });
  const { ingest, receiver } = await begin("x");
  await receiver.get(request(url), never);
  // As long as anybody reads, the server gets rid of something.
  for (let before = -1; accepted !== before; await Bun.sleep(50)) before = accepted;
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(32 << 20);
  await ingest.close({ keep: false });
});

test("a partial blob is gone on with, and what the server sends again is skipped", async () => {
  const { url } = await serve((socket) => socket.write(answer("hello world")));
  const first = await begin("hello world");
  await first.ingest.write(Buffer.from("hello "));
  expect(first.ingest.offset).toBe(6);
  await first.ingest.close({ keep: true });
  const { ingest, receiver } = await begin("hello world");
  expect(ingest.offset).toBe(6);
  await receiver.get(request(url), never);
  await receiver.append(6, () => {});
  await ingest.commit();
  expect(store.size(digestOf("hello world"))).toBe(11);
});

test("more bytes than expected are not written, and others get no name", async () => {
  const { url } = await serve((socket) => socket.write(answer("hello world")));
  const short = await begin("hello");
  await short.receiver.get(request(url), never);
  expect(await codeOf(short.receiver.append(0, () => {}))).toBe("content.size-mismatch");
  expect(readFileSync(short.ingest.path, "utf8")).toBe("");
  await short.ingest.close({ keep: false });
  const other = await begin("HELLO WORLD");
  await other.receiver.get(request(url), never);
  await other.receiver.append(0, () => {});
  expect(await codeOf(other.ingest.commit())).toBe("content.digest-mismatch");
});

test("the next request takes the connection of an answer that was read", async () => {
  const { url, seen } = await serve((socket) => socket.write(answer("part")));
  const { ingest, receiver } = await begin("partpart");
  for (let part = 0; part < 2; part++) {
    await receiver.get(request(url), never);
    await receiver.append(0, () => {});
  }
  await ingest.commit();
  expect(seen.connections).toBe(1);
});

test("the body of an error is read by the caller", async () => {
  const { url } = await serve((socket) => socket.write(answer("why", "404 Not Found")));
  const { ingest, receiver } = await begin("x");
  expect((await receiver.get(request(url), never)).statusText).toBe("Not Found");
  expect(Buffer.from((await receiver.next()) ?? []).toString()).toBe("why");
  expect(await receiver.next()).toBeUndefined();
  await ingest.close({ keep: false });
});

test("an abort drops the connection, whatever it waits for", async () => {
  const heads = Promise.withResolvers<void>();
  const { url, sockets } = await serve((socket, text) => {
    if (text.startsWith("GET /body")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    else heads.resolve();
  });
  const { ingest, receiver } = await begin("123456789");
  const first = new AbortController();
  const head = codeOf(receiver.get(request(`${url}/head`), first.signal));
  await heads.promise;
  first.abort();
  expect(await head).toBe("ECONNABORTED");
  const second = new AbortController();
  await receiver.get(request(`${url}/body`), second.signal);
  expect(await codeOf(receiver.append(0, () => second.abort()))).toBe("ECONNABORTED");
  expect(ingest.offset).toBe(4);
  while (sockets.size > 0) await Bun.sleep(1);
  await ingest.close({ keep: false });
});

test("connections fail with the codes of node:net", async () => {
  const { url } = await serve((socket, text) => {
    if (text.startsWith("GET /cut")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    else socket.write("SSH-2.0-x\r\n\r\n");
  });
  const { ingest, receiver } = await begin("123456789");
  expect(await codeOf(receiver.get(request("http://127.0.0.1:1/"), never))).toBe("ECONNREFUSED");
  expect(await codeOf(receiver.get(request("http://registry.invalid/"), never))).toBe("ENOTFOUND");
  const broken = request(url, { headers: { authorization: "Bearer a\r\nx: y" } });
  expect(await codeOf(receiver.get(broken, never))).toContain("line break");
  expect(await codeOf(receiver.get(request(url.replace("http:", "https:")), never))).toBe("EPROTO");
  await receiver.get(request(`${url}/cut`), never);
  expect(await codeOf(receiver.append(0, () => {}))).toBe("ECONNRESET");
  expect(await codeOf(receiver.get(request(url), never))).toContain("not an HTTP answer");
  await ingest.close({ keep: false });
});

test("a proxy is told the whole URL and who asks; its refusal of a tunnel is named", async () => {
  const requests: string[] = [];
  const { url } = await serve((socket, text) => {
    requests.push(text);
    const isTunnel = text.startsWith("CONNECT");
    socket.write(isTunnel ? answer("", "407 Proxy Authentication Required") : answer("hi"));
  });
  const proxy = url.replace("//", "//ann:se%20cret@");
  const { ingest, receiver } = await begin("hi");
  await receiver.get(request("http://registry.test/v2/?a=b", { proxy }), never);
  await receiver.append(0, () => {});
  const refused = await receiver.get(request("https://registry.test/", { proxy }), never).catch((e) => e);
  expect([refused.code, refused.statusText]).toEqual(["ERR_PROXY_TUNNEL", "Proxy Authentication Required"]);
  await ingest.close({ keep: false });
  const basic = `Basic ${btoa("ann:se cret")}`.toLowerCase();
  expect(requests[0]?.toLowerCase()).toStartWith(
    "get http://registry.test/v2/?a=b http/1.1\r\nhost: registry.test",
  );
  expect(requests[1]?.toLowerCase()).toStartWith(
    "connect registry.test:443 http/1.1\r\nhost: registry.test:443",
  );
  for (const text of requests) expect(text.toLowerCase()).toContain(`proxy-authorization: ${basic}`);
});

test("what still arrives fails when the Worker ends, and the next blob starts another one", async () => {
  const { url } = await serve((socket, text) => {
    socket.write(
      text.startsWith("GET /stall") ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" : answer("hi"),
    );
  });
  const stalled = await begin("123456789");
  await stalled.receiver.get(request(`${url}/stall`), never);
  const arriving = codeOf(stalled.receiver.append(0, () => {}));
  thread[Symbol.dispose]();
  expect(await arriving).toBe("worker.broken");
  await stalled.ingest.close({ keep: true });
  const { ingest, receiver } = await begin("hi");
  await receiver.get(request(url), never);
  await receiver.append(0, () => {});
  await ingest.commit();
  expect(store.has(digestOf("hi"))).toBe(true);
});

test("a name is connected to only at the addresses that are permitted for it", async () => {
  const { url, seen } = await serve((socket) => socket.write(answer("x")));
  const { receiver } = await begin("x");
  const named = url.replace("127.0.0.1", "localhost");
  const ask = (...alsoIn: string[]) => receiver.get(request(named, { addresses: { alsoIn } }), never);
  expect(await codeOf(ask())).toBe("ERR_ADDRESS_REFUSED");
  expect(seen.connections).toBe(0);
  expect((await ask("127.0.0.0/8")).status).toBe(200);
});
