import { expect, test } from "bun:test";
import { HostCertificates } from "./host-certificates.ts";
import { noProxies } from "./proxy-settings.ts";
import { requestToken } from "./request-token.ts";
import { Transport } from "./transport.ts";

const transport = new Transport({
  userAgent: "test",
  responseTimeoutMs: 1000,
  idleTimeoutMs: 1000,
  certificates: new HostCertificates(undefined),
  proxies: noProxies,
});
const request = { service: "S", scope: "", credentials: undefined, trust: { verifyTls: true, host: "r" } };

test.each(["http://token.invalid/", "ftp://token.invalid/", "/token", ""])(
  "credentials are never sent to the token server %p",
  async (realm) => {
    const { signal } = new AbortController();
    await expect(requestToken(transport, { ...request, realm, signal })).rejects.toThrow(
      `the registry names a token server that is no usable address: "${realm}"`,
    );
  },
);
