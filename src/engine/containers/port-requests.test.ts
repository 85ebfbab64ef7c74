import { expect, test } from "bun:test";
import { portRequests } from "./port-requests.ts";

const tcp = { protocol: "tcp", containerPort: 80, hostIp: "0.0.0.0" } as const;

test.each([
  [{ HostPort: "8080" }, { ...tcp, hostPort: 8080 }],
  [{}, { ...tcp, hostPort: 0 }],
  [{ HostPort: "0" }, { ...tcp, hostPort: 0 }],
  [
    { HostIp: "127.0.0.1", HostPort: "8000-8010" },
    { ...tcp, hostIp: "127.0.0.1", hostPort: { from: 8000, to: 8010 } },
  ],
])("80/tcp bound to %p", (entry, wanted) => {
  expect(portRequests({}, { PortBindings: { "80/tcp": [entry] } })).toEqual([wanted]);
});

test("with all ports published, those without a binding get a free one", () => {
  const config = { ExposedPorts: { "80/tcp": {}, "53/udp": {} } };
  const hostConfig = { PublishAllPorts: true, PortBindings: { "80/tcp": [{ HostPort: "8080" }] } };
  expect(portRequests(config, hostConfig)).toEqual([
    { ...tcp, hostPort: 8080 },
    { protocol: "udp", containerPort: 53, hostIp: "0.0.0.0", hostPort: 0 },
  ]);
});

test.each([
  ["80/tcp", "99999"],
  ["80/tcp", "9000-8000"],
  ["80/tcp", "http"],
  ["0/tcp", "80"],
  ["80/sctp", "80"],
  ["x", "80"],
])("%p bound to %p is refused", (key, port) => {
  expect(() => portRequests({}, { PortBindings: { [key]: [{ HostPort: port }] } })).toThrow(
    "invalid port specification",
  );
});
