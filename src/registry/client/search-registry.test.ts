import { expect, test } from "bun:test";
import { FakeRegistry, type Script } from "./fake-registry.ts";
import { RegistryClient } from "./registry-client.ts";

const { signal } = new AbortController();
const retry = { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 };

async function search(script: Script, term: string, limit = 25) {
  using registry = new FakeRegistry(script);
  const client = new RegistryClient({ userAgent: "test", retry });
  const hits = await client.search(registry.host, { term, limit, credentials: undefined, signal });
  return { names: hits.map(({ name }) => name), paths: registry.requests.map(({ path }) => path) };
}

const catalog: Script = (_, { path }) => {
  if (!path.startsWith("/v2/_catalog")) return undefined;
  const isFirst = !path.includes("last=");
  const link: Record<string, string> = isFirst ? { link: '</v2/_catalog?last=b&n=1000>; rel="next"' } : {};
  return Response.json(
    { repositories: isFirst ? ["a/web", "b"] : ["c/Webs".toLowerCase()] },
    { headers: link },
  );
};

test("a catalog is read page by page", async () => {
  const { names, paths } = await search(catalog, "WEB");
  expect(names).toEqual(["a/web", "c/webs"]);
  expect(paths).toEqual(["/v2/_catalog?n=1000", "/v2/_catalog?last=b&n=1000"]);
});

test("no further than the limit", async () => {
  expect((await search(catalog, "web", 1)).paths).toEqual(["/v2/_catalog?n=1000"]);
});

test("a registry that has neither catalog nor index is an error", async () => {
  expect(search(() => new Response("no", { status: 404 }), "web")).rejects.toThrow();
});

test("an answer that is no list is an error that names the field", async () => {
  expect(search(() => Response.json({ repositories: "all" }), "web")).rejects.toThrow(
    "answer of the registry: repositories is not a list",
  );
});
