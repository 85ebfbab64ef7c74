import { type PlatformError, unavailable } from "../../errors/platform-error.ts";
import { portOf } from "./host-name.ts";
import { maskedProxy } from "./proxy-settings.ts";
import { shownRequest } from "./shown-request.ts";

/**
 * What a failed fetch says, in the words that Docker's clients know from Go's network library:
 * `Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused`.
 * Code: `registry.` and the reason, e.g. `registry.refused`.
 */
export function connectionError(
  method: string,
  url: string,
  error: unknown,
  proxy: string | undefined,
): PlatformError {
  if (proxy !== undefined) {
    const code = errorCode(error);
    if (code === "ERR_PROXY_TUNNEL") return proxyError(method, url, proxy, tunnelStatus(error), error);
    // Whoever has a proxy connects to nobody else.
    const [, refused] = unreached.has(code) ? describe(code, new URL(proxy)) : [];
    if (refused !== undefined) return proxyError(method, url, proxy, refused, error);
  }
  const [code, cause, hint] = describe(errorCode(error), new URL(url));
  return unavailable(`${shownRequest({ method, url })}: ${cause ?? text(error)}`, {
    code: `registry.${code}`,
    cause: error,
    hint,
  });
}

/** A proxy that is not there, or does not let the request through. The password in its URL is not shown. */
export function proxyError(
  method: string,
  url: string,
  proxy: string,
  reason: string,
  cause?: unknown,
): PlatformError {
  return unavailable(`${shownRequest({ method, url })}: proxyconnect tcp: ${reason}`, {
    code: "registry.proxy",
    hint: `check the proxy ${maskedProxy(proxy)}, or name the registry in NO_PROXY`,
    cause,
  });
}

/** Errors of the connection itself, before anything was sent. */
const unreached = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** `Proxy Authentication Required`. */
function tunnelStatus(error: unknown): string {
  if (error instanceof Error && "statusText" in error && error.statusText) return String(error.statusText);
  return text(error);
}

type Description = readonly [code: string, cause?: string | undefined, hint?: string];

function describe(code: string, url: URL): Description {
  const address = `${url.hostname}:${portOf(url)}`;
  switch (code) {
    case "ECONNREFUSED":
      return ["refused", `dial tcp ${address}: connect: connection refused`, "check that the registry runs"];
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return ["unknown-host", `dial tcp: lookup ${url.hostname}: no such host`, "check the registry's name"];
    case "EHOSTUNREACH":
      return ["unreachable", `dial tcp ${address}: connect: no route to host`];
    case "ENETUNREACH":
      return ["unreachable", `dial tcp ${address}: connect: network is unreachable`];
    case "ETIMEDOUT":
      return ["timeout", `dial tcp ${address}: i/o timeout`];
    case "ERR_ADDRESS_REFUSED":
      return ["url-refused", undefined, `allow it with --layer-url-host ${url.host}`];
    case "ECONNRESET":
    case "EPIPE":
      return ["cut", "unexpected EOF"];
    case "EPROTO":
      return [
        "no-tls",
        "http: server gave HTTP response to HTTPS client",
        "if it has no TLS, configure it as an insecure registry; if it wants a client certificate, see certs.d",
      ];
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return [
        "bad-certificate",
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        `put its CA certificate into certs.d/${url.host}/ca.crt of the engine's configuration`,
      ];
    default:
      return ["failed"];
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
