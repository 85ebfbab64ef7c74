import { expect, test } from "bun:test";
import { FakeRegistry, rawServer } from "./fake-registry.ts";
import { HostCertificates } from "./host-certificates.ts";
import { noProxies } from "./proxy-settings.ts";
import { Transport } from "./transport.ts";

const transportWith = (certificates = new HostCertificates(undefined)) =>
  new Transport({
    userAgent: "test",
    responseTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    certificates,
    proxies: noProxies,
  });

const get = (url: string, signal = new AbortController().signal) => ({
  method: "GET" as const,
  url,
  trust: { verifyTls: false, host: "r" },
  signal,
});

test("a request that is given up while its certificates are read is not sent", async () => {
  using server = rawServer(() => undefined);
  const abort = new AbortController();
  class GivenUp extends HostCertificates {
    override async for() {
      abort.abort(new Error("given up"));
      return {};
    }
  }
  const sent = transportWith(new GivenUp(undefined)).send(get(`https://${server.host}/`, abort.signal));
  await expect(sent).rejects.toThrow("given up");
  expect(server.connections()).toBe(0);
});

test("a redirect to what is no address is the registry's failure", async () => {
  using registry = new FakeRegistry(
    () => new Response(null, { status: 307, headers: { location: "http://[" } }),
  );
  const sent = transportWith().send(get(`http://${registry.host}/v2/`));
  await expect(sent).rejects.toMatchObject({ kind: "Unavailable", code: "registry.redirect-refused" });
});
