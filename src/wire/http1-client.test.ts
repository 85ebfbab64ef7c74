import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Http1Client, type HttpResponse, readAll } from "./http1-client.ts";

type Reply = (request: string, write: (bytes: string | Uint8Array) => void, end: () => void) => void;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A server that hands every chunk it reads to `reply`; counts its connections. */
function serve(reply: Reply) {
  const directory = mkdtempSync(join(tmpdir(), "wire-"));
  const unix = join(directory, "s.sock");
  const seen = { connections: 0, closed: 0 };
  const server = Bun.listen({
    unix,
    allowHalfOpen: true,
    socket: {
      open: () => {
        seen.connections++;
      },
      data: (socket, bytes) =>
        reply(
          bytes.toString(),
          (out) => socket.write(out),
          () => socket.end(),
        ),
      close: () => {
        seen.closed++;
      },
      end: (socket) => {
        reply(
          "<FIN>",
          (out) => socket.write(out),
          () => socket.end(),
        );
      },
    },
  });
  const client = new Http1Client({ unix });
  cleanups.push(
    () => client[Symbol.dispose](),
    () => server.stop(true),
    () => rmSync(directory, { recursive: true }),
  );
  return { client, seen };
}

const textOf = async (response: HttpResponse) => Buffer.from(await readAll(response.body)).toString();

test("reads a body of known length and uses the connection again", async () => {
  const { client, seen } = serve((request, write) =>
    write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${request.startsWith("GET /a ") ? "first" : "other"}`),
  );
  expect(await textOf(await client.request({ method: "GET", path: "/a" }))).toBe("first");
  expect(await textOf(await client.request({ method: "GET", path: "/b" }))).toBe("other");
  expect(seen.connections).toBe(1);
});

test("two requests at a time take two connections", async () => {
  const { client, seen } = serve((_, write) => write("HTTP/1.1 204 No Content\r\n\r\n"));
  const both = await Promise.all([
    client.request({ method: "POST", path: "/a" }),
    client.request({ method: "POST", path: "/b" }),
  ]);
  expect(both.map(({ status }) => status)).toEqual([204, 204]);
  expect(seen.connections).toBe(2);
});

test("connections opened ahead are taken by the requests that follow", async () => {
  const { client, seen } = serve((_, write) => write("HTTP/1.1 204 No Content\r\n\r\n"));
  client.prepare(2);
  await Promise.all([
    client.request({ method: "POST", path: "/a" }),
    client.request({ method: "POST", path: "/b" }),
  ]);
  expect(seen.connections).toBe(2);
});

test("connections that open after the client was dropped are closed", async () => {
  const { client, seen } = serve(() => {});
  client.prepare(1);
  client[Symbol.dispose]();
  while (seen.closed < 1) await Bun.sleep(1);
  expect(seen.connections).toBe(1);
});

test("a failure to connect ahead is told by the request", async () => {
  using client = new Http1Client({ unix: "/nonexistent/gantry.sock" });
  client.prepare(2);
  expect(client.request({ method: "GET", path: "/" })).rejects.toThrow("no such socket");
});

test("the head is there before the body", async () => {
  let finish = () => {};
  const { client } = serve((_, write) => {
    write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    finish = () => write("5;x=y\r\nhello\r\n0\r\nTrailer: 1\r\n\r\n");
  });
  const response = await client.request({ method: "POST", path: "/wait" });
  expect(response.status).toBe(200);
  finish();
  expect(await textOf(response)).toBe("hello");
});

test("sends a fixed body with its length and a stream in chunks", async () => {
  let received = "";
  const { client } = serve((request, write) => {
    received += request;
    if (received.includes("0\r\n\r\n")) write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  async function* body() {
    yield Buffer.from("abc");
    yield new Uint8Array(0);
    yield Buffer.from("defg");
  }
  const response = await client.request({ method: "POST", path: "/load", body: body() });
  expect(response.status).toBe(201);
  expect(received).toContain("Transfer-Encoding: chunked\r\n");
  expect(received).toEndWith("\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
});

test("an answer may come before the request body was read", async () => {
  const { client } = serve((_, write, end) => {
    write("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad");
    end();
  });
  async function* endless() {
    for (;;) {
      yield new Uint8Array(65536);
      await Bun.sleep(0);
    }
  }
  const response = await client.request({ method: "POST", path: "/load", body: endless() });
  expect(response.status).toBe(400);
  expect(await textOf(response)).toBe("bad");
});

test("a hijacked connection carries raw bytes, and half-close keeps the other direction open", async () => {
  const { client } = serve((request, write, end) => {
    if (request.startsWith("POST")) write("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nearly ");
    else if (request === "<FIN>") {
      write("after fin");
      end();
    } else write(`echo ${request} `);
  });
  const result = await client.upgrade({ method: "POST", path: "/attach" });
  if (!result.upgraded) throw new Error("not upgraded");
  await result.stream.write(Buffer.from("input"));
  let text = "";
  for await (const chunk of result.stream) {
    text += Buffer.from(chunk).toString();
    if (text.endsWith("input ")) result.stream.closeWrite();
  }
  expect(text).toBe("early echo input after fin");
});

test("a refused upgrade is an ordinary answer", async () => {
  const { client } = serve((_, write) => write("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno"));
  const result = await client.upgrade({ method: "POST", path: "/attach" });
  expect(result.upgraded).toBe(false);
  if (!result.upgraded) expect(await textOf(result.response)).toBe("no");
});

test("a connection cut within the body is an error after what came", async () => {
  const { client } = serve((_, write, end) => {
    write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    end();
  });
  const response = await client.request({ method: "GET", path: "/" });
  expect(textOf(response)).rejects.toThrow("in the middle of an answer");
});

test("a connection closed before any answer is an error", async () => {
  const { client } = serve((_, __, end) => end());
  expect(client.request({ method: "POST", path: "/" })).rejects.toThrow("in the middle of an answer");
});

test("a missing socket says where it looked", async () => {
  using client = new Http1Client({ unix: "/nonexistent/gantry.sock" });
  expect(client.request({ method: "GET", path: "/" })).rejects.toThrow(
    "cannot connect to the gantry engine at unix:///nonexistent/gantry.sock: no such socket",
  );
});

test("a slow reader pauses the peer and loses nothing", async () => {
  const total = 8 << 20;
  let sent = 0;
  const block = new Uint8Array(1 << 16).fill(120);
  const directory = mkdtempSync(join(tmpdir(), "wire-"));
  const unix = join(directory, "s.sock");
  let most = 0;
  let received = 0;
  const pump = (socket: Bun.Socket<undefined>) => {
    while (sent < total) {
      const written = socket.write(block.subarray(0, Math.min(block.length, total - sent)));
      if (written <= 0) break;
      sent += written;
      most = Math.max(most, sent - received);
      if (written < block.length) break;
    }
  };
  const server = Bun.listen<undefined>({
    unix,
    socket: {
      data: (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        pump(socket);
      },
      drain: pump,
    },
  });
  const client = new Http1Client({ unix });
  cleanups.push(
    () => client[Symbol.dispose](),
    () => server.stop(true),
    () => rmSync(directory, { recursive: true }),
  );
  const response = await client.request({ method: "GET", path: "/" });
  for await (const chunk of response.body) {
    received += chunk.length;
    await Bun.sleep(0);
  }
  expect(received).toBe(total);
  expect(most).toBeLessThan(4 << 20);
});
