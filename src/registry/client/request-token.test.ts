import { expect, test } from "bun:test";
import { requestToken } from "./request-token.ts";
import { Transport } from "./transport.ts";

const transport = new Transport({ userAgent: "test", responseTimeoutMs: 1000, idleTimeoutMs: 1000 });
const request = { service: "S", scope: "", credentials: undefined, verifyTls: true };

test.each(["http://token.invalid/", "ftp://token.invalid/", "/token", ""])(
  "credentials are never sent to the token server %p",
  async (realm) => {
    const { signal } = new AbortController();
    await expect(requestToken(transport, { ...request, realm, signal })).rejects.toThrow(
      `the registry names a token server that is no usable address: "${realm}"`,
    );
  },
);
