import { beforeEach, describe, expect, test } from "bun:test";
import { openSync } from "node:fs";
import { bindInet } from "../../kernel/inet-sockets.ts";
import { errnoError } from "../../kernel/syscall.ts";
import type { PortRequest } from "../contract.ts";
import { HostPorts, parsePortRange } from "./host-ports.ts";

const EADDRINUSE = 98;
/** Ports that "another program" has. */
let foreign = new Set<number>();
let ports = new HostPorts();

beforeEach(() => {
  foreign = new Set();
  ports = new HostPorts((protocol, { ip, port }) => {
    if (foreign.has(port)) throw errnoError(EADDRINUSE, `listen ${protocol}4 ${ip}:${port}: bind`);
    return openSync("/dev/null", "r");
  });
});

const request = (hostPort: PortRequest["hostPort"], more: Partial<PortRequest> = {}): PortRequest => ({
  protocol: "tcp",
  containerPort: 80,
  hostIp: "0.0.0.0",
  hostPort,
  ...more,
});

describe("a host port", () => {
  test("that a container has is refused in Docker's words", () => {
    ports.reserve("a", [request(8080)]);
    const wanted = "Bind for 0.0.0.0:8080 failed: port is already allocated";
    expect(() => ports.reserve("b", [request(8080)])).toThrow(wanted);
  });

  test("that another program has is refused in Docker's words", () => {
    foreign.add(80);
    const wanted = "listen tcp4 0.0.0.0:80: bind: address already in use";
    expect(() => ports.reserve("a", [request(80)])).toThrow(wanted);
  });

  test("on one address excludes all addresses, but not another one", () => {
    ports.reserve("a", [request(80, { hostIp: "127.0.0.1" })]);
    expect(() => ports.reserve("b", [request(80)])).toThrow("already allocated");
    expect(ports.reserve("b", [request(80, { hostIp: "127.0.0.2" })])).toHaveLength(1);
    expect(ports.reserve("b", [request(80, { protocol: "udp" })])).toHaveLength(1);
  });

  test("is free again after release, and after a request that failed half way", () => {
    ports.reserve("a", [request(1)]);
    expect(() => ports.reserve("b", [request(2), request(1)])).toThrow("already allocated");
    ports.release("a");
    expect(ports.reserve("c", [request(1), request(2)])).toHaveLength(2);
  });

  test("of a range is the first free one", () => {
    foreign.add(100);
    ports.reserve("a", [request(101)]);
    expect(ports.reserve("b", [request({ from: 100, to: 102 })])[0]?.hostPort).toBe(102);
    expect(() => ports.reserve("c", [request({ from: 100, to: 102 })])).toThrow("all ports are allocated");
  });

  test("that is not asked for is the next of the ephemeral range", () => {
    const [first, second] = ports.reserve("a", [request(0), request(0)]);
    expect(second?.hostPort).toBe((first?.hostPort ?? 0) + 1);
    ports.release("a");
    expect(ports.reserve("a", [request(0)])[0]?.hostPort).toBe((first?.hostPort ?? 0) + 2);
  });

  test("on an IPv6 address is refused by name", () => {
    const wanted = "publish port on ::1: only IPv4 addresses of the host are supported";
    expect(() => ports.reserve("a", [request(80, { hostIp: "::1" })])).toThrow(wanted);
  });
});

test("a reserved port is really held", () => {
  const real = new HostPorts();
  const [binding] = real.reserve("a", [request(0, { hostIp: "127.0.0.1" })]);
  const port = binding?.hostPort ?? 0;
  expect(() => bindInet("tcp", { ip: "127.0.0.1", port })).toThrow("address already in use");
  real.release("a");
});

test.each([
  ["32768\t60999", { from: 32768, to: 60999 }],
  ["1024 2048", { from: 1024, to: 2048 }],
  [undefined, { from: 32768, to: 60999 }],
  ["garbage", { from: 32768, to: 60999 }],
])("port range %p", (text, wanted) => {
  expect(parsePortRange(text)).toEqual(wanted);
});
