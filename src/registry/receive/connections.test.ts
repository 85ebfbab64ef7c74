import { afterEach, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { bindInet } from "../../kernel/inet-sockets.ts";
import type { PlainRequest } from "../../wire/body-receiver.ts";
import { Connections } from "./connections.ts";

const never = new AbortController().signal;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Each connection it sees is one of `sockets`. */
async function serve(answer: (request: IncomingMessage, body: string) => string | Promise<string>) {
  let [opened, open] = [0, 0];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.end(await answer(request, body));
  });
  server.on("connection", (socket) => {
    opened++;
    open++;
    socket.on("close", () => open--);
  });
  servers.push(server);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/x`, opened: () => opened, open: () => open };
}

const request = (url: string, more: Partial<PlainRequest> = {}): PlainRequest => ({
  ...{ method: "GET", url, headers: {}, body: undefined },
  ...{ tls: { rejectUnauthorized: true }, proxy: undefined },
  ...more,
});

async function textOf(connections: Connections, sent: PlainRequest): Promise<string> {
  const { body } = await connections.send(sent, never);
  let text = "";
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

const streamOf = (...pieces: string[]) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

test("a stream whose length is known is sent as it is, another in chunks", async () => {
  const { url } = await serve(({ method, headers }, body) =>
    JSON.stringify([method, headers["content-length"], headers["transfer-encoding"], body]),
  );
  const send = async (more: Partial<PlainRequest>) =>
    JSON.parse(await textOf(new Connections(), request(url, more)));
  expect(
    await send({ method: "PUT", body: streamOf("ab", "c"), headers: { "content-length": "3" } }),
  ).toEqual(["PUT", "3", null, "abc"]);
  expect(await send({ method: "PATCH", body: streamOf("ab", "c") })).toEqual([
    ...["PATCH", null, "chunked", "abc"],
  ]);
  expect(await send({ method: "PATCH" })).toEqual(["PATCH", "0", null, ""]);
  expect(await send({ method: "POST", headers: { "content-length": "0" } })).toEqual(["POST", "0", null, ""]);
});

test("a connection is used again, and closed when nothing was asked for a while", async () => {
  const { url, opened, open } = await serve(() => "x");
  const connections = new Connections(50);
  for (const _ of [1, 2, 3]) expect(await textOf(connections, request(url))).toBe("x");
  expect(opened()).toBe(1);
  while (open() > 0) await Bun.sleep(5);
  expect(await textOf(connections, request(url))).toBe("x");
});

test("a connection whose answer took longer than that is closed later", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { url, open } = await serve(async () => {
    await promise;
    return "x";
  });
  const text = textOf(new Connections(10), request(url));
  await Bun.sleep(50);
  resolve();
  expect(await text).toBe("x");
  while (open() > 0) await Bun.sleep(5);
});

test("a connection that does not come about in its time is given up", async () => {
  const { url } = await serve(() => "x");
  const port = Number(new URL(url).port);
  // The same port of another address: nobody takes its connections, and two are as many as may wait.
  const fd = bindInet("tcp", { ip: "127.0.0.2", port });
  const waiting = [1, 2].map(() => connect(port, "127.0.0.2"));
  try {
    await Promise.all(waiting.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    const failure = await new Connections()
      .send(request(url.replace("127.0.0.1", "127.0.0.2"), { connectTimeoutMs: 30 }), never)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ETIMEDOUT", message: "i/o timeout" });
    expect(await textOf(new Connections(), request(url, { connectTimeoutMs: 30_000 }))).toBe("x");
  } finally {
    for (const socket of waiting) socket.destroy();
    closeSync(fd);
  }
});
