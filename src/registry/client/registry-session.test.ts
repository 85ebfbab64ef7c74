import { expect, test } from "bun:test";
import { Authorizer } from "./authorizer.ts";
import type { RegistryEndpoint } from "./registry-endpoint.ts";
import { RegistrySession } from "./registry-session.ts";
import { TokenCache } from "./token-cache.ts";
import type { HttpRequest, HttpResponse, Transport } from "./transport.ts";

const trust = { verifyTls: true, host: "r.example" };
const endpoint: RegistryEndpoint = { host: "r.example", rootPath: "/v2/", schemes: ["https"], trust };

test("a refusal that cannot be answered gives its connection back", async () => {
  let discarded = 0;
  const headers = new Headers({ "www-authenticate": 'Basic realm="r"' });
  const discard = async () => void discarded++;
  const send = async (request: HttpRequest) => ({ status: 401, headers, request, discard }) as HttpResponse;
  const transport = { send } as Transport;
  const authorizer = new Authorizer(transport, new TokenCache(), undefined, "", false);
  const session = new RegistrySession(async () => endpoint, transport, authorizer, new Map());
  const { signal } = new AbortController();
  const sent = session.send({ method: "GET", path: "a/tags/list", signal });
  await expect(sent).rejects.toThrow("no basic auth credentials");
  expect(discarded).toBe(1);
});
