import { expect, test } from "bun:test";
import { registryEndpoint } from "./registry-endpoint.ts";

const insecure = new Set(["plain.example:5000"]);

test.each([
  ["docker.io", "registry-1.docker.io", ["https"]],
  ["quay.io", "quay.io", ["https"]],
  ["127.0.0.1:5000", "127.0.0.1:5000", ["https", "http"]],
  ["127.8.9.10", "127.8.9.10", ["https", "http"]],
  ["localhost:5000", "localhost:5000", ["https", "http"]],
  ["[::1]:5000", "[::1]:5000", ["https", "http"]],
  ["plain.example:5000", "plain.example:5000", ["https", "http"]],
  ["plain.example", "plain.example", ["https"]],
  ["127.0.0.1.example", "127.0.0.1.example", ["https"]],
  ["localhost.example", "localhost.example", ["https"]],
  ["[::2]:5000", "[::2]:5000", ["https"]],
] as const)("%p is asked at %p over %j", (domain, host, schemes) => {
  const endpoint = registryEndpoint(domain, insecure);
  expect(endpoint).toEqual({ host, schemes: [...schemes], verifyTls: schemes.length === 1 });
});
