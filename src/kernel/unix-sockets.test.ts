import { expect, test } from "bun:test";
import { closeSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addon } from "./addon.ts";
import { bindInet, inetAddress } from "./inet-sockets.ts";
import { check, nr } from "./syscall.ts";
import { connectUnix, listenUnix, unixAddress } from "./unix-sockets.ts";

test.each([
  ["a short path", "s.sock"],
  ["a path longer than sun_path", join("a".repeat(100), "b".repeat(100), "s.sock")],
])("listens on and connects to %s", (_name, relative) => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-sockets-"));
  const path = join(directory, relative);
  mkdirSync(join(path, ".."), { recursive: true });
  const listener = listenUnix(path, { mode: 0o660 });
  try {
    expect(lstatSync(path).mode & 0o777).toBe(0o660);
    const client = connectUnix(path);
    const server = check(addon.syscall(nr.accept4, listener, null, null, 0), "accept");
    check(addon.syscall(nr.write, client, "hi", 2), "write");
    const buffer = new Uint8Array(2);
    expect(addon.syscall(nr.read, server, buffer, 2)).toBe(2);
    expect(new TextDecoder().decode(buffer)).toBe("hi");
    closeSync(client);
    closeSync(server);
    expect(() => listenUnix(path, { mode: 0o600 })).toThrow(`listen on ${path}: address already in use`);
  } finally {
    closeSync(listener);
  }
  expect(() => connectUnix(path)).toThrow(`connect to ${path}: connection refused`);
  rmSync(directory, { recursive: true });
});

test("a file name that is too long is named in the error", () => {
  expect(() => unixAddress(`/x/${"y".repeat(200)}`)).toThrow("file name is too long");
});

test("an IPv4 address has network byte order", () => {
  expect([...inetAddress({ ip: "127.0.0.1", port: 8080 })]).toEqual([
    2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
  ]);
  expect(() => inetAddress({ ip: "localhost", port: 1 })).toThrow("invalid IPv4 address: localhost");
});

test.each(["tcp", "udp"] as const)("a held %s port is taken for others", (protocol) => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  const held = bindInet(protocol, { ip: "127.0.0.1", port });
  expect(() => bindInet(protocol, { ip: "127.0.0.1", port })).toThrow(
    `listen ${protocol}4 127.0.0.1:${port}: bind: address already in use`,
  );
  closeSync(held);
  closeSync(bindInet(protocol, { ip: "127.0.0.1", port }));
});
