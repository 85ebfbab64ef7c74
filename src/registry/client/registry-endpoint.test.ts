import { expect, test } from "bun:test";
import { InsecureRegistries } from "./insecure-registries.ts";
import { mirrorEndpoint, registryEndpoint } from "./registry-endpoint.ts";

const lookup = async (name: string): Promise<string[]> => {
  if (name === "inside.example") return ["192.0.2.1", "10.9.8.7"];
  throw new Error("no such host");
};
const insecure = new InsecureRegistries(["plain.example:5000", "10.0.0.0/8", "fd00::/8"], lookup);

test.each([
  ["docker.io", "registry-1.docker.io", ["https"]],
  ["quay.io", "quay.io", ["https"]],
  ["toString", "toString", ["https"]],
  ["127.0.0.1:5000", "127.0.0.1:5000", ["https", "http"]],
  ["127.8.9.10", "127.8.9.10", ["https", "http"]],
  ["localhost:5000", "localhost:5000", ["https", "http"]],
  ["[::1]:5000", "[::1]:5000", ["https", "http"]],
  ["plain.example:5000", "plain.example:5000", ["https", "http"]],
  ["plain.example", "plain.example", ["https"]],
  ["127.0.0.1.example", "127.0.0.1.example", ["https"]],
  ["localhost.example", "localhost.example", ["https"]],
  ["[::2]:5000", "[::2]:5000", ["https"]],
  ["10.1.2.3:5000", "10.1.2.3:5000", ["https", "http"]],
  ["[fd00::1]", "[fd00::1]", ["https", "http"]],
  ["11.1.2.3", "11.1.2.3", ["https"]],
  ["inside.example:5000", "inside.example:5000", ["https", "http"]],
] as const)("%p is asked at %p over %j", async (domain, host, schemes) => {
  expect(await registryEndpoint(domain, insecure)).toEqual({
    host,
    rootPath: "/v2/",
    schemes: [...schemes],
    trust: { host, verifyTls: schemes.length === 1 },
  });
});

test("names are looked up only where there are ranges", async () => {
  const asked: string[] = [];
  const none = new InsecureRegistries(["a"], async (name) => {
    asked.push(name);
    return ["10.0.0.1"];
  });
  expect(await none.has("b")).toBe(false);
  expect(asked).toEqual([]);
});

test.each([
  ["https://m.example/v2/", "/v2/", "https", true],
  ["https://m.example:444/proxy/v2/", "/proxy/v2/", "https", true],
  ["http://m.example/v2/", "/v2/", "http", false],
  ["https://10.1.1.1/v2/", "/v2/", "https", false],
] as const)("the mirror %p is asked below %p over %p alone", async (apiRoot, rootPath, scheme, verifyTls) => {
  const mirror = { url: "", apiRoot, capabilities: ["pull", "resolve"] as const, skipVerify: false };
  const { host } = new URL(apiRoot);
  const endpoint = {
    host,
    rootPath,
    schemes: [scheme],
    trust: { verifyTls, host },
    responseTimeoutMs: 10_000,
  };
  expect(await mirrorEndpoint(mirror, insecure)).toEqual(endpoint);
  expect((await mirrorEndpoint({ ...mirror, skipVerify: true }, insecure)).trust.verifyTls).toBe(false);
});

test("what is known of a registry beside its name counts for it", async () => {
  const files = { ca: ["/ca.crt"] };
  const own = {
    ...{ capabilities: ["pull"] as const, skipVerify: true, files },
    ...{ headers: { "x-a": "1" }, connectTimeoutMs: 5 },
  };
  expect(await registryEndpoint("docker.io", insecure, own)).toEqual({
    ...{ host: "registry-1.docker.io", rootPath: "/v2/", schemes: ["https"] },
    trust: { verifyTls: false, host: "registry-1.docker.io", files },
    ...{ headers: { "x-a": "1" }, connectTimeoutMs: 5 },
  });
});
