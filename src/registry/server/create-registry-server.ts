import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import { type Guard, openGuard } from "./auth/guard.ts";
import { requiredAccess } from "./auth/required-access.ts";
import { type TokenEndpoint, tokenPath } from "./auth/token-endpoint.ts";
import { discardBody } from "./discard-body.ts";
import type { Registry } from "./registry.ts";
import { errorReply, refusal, registryCode } from "./registry-error.ts";
import { jsonReply, type Reply, type RequestBody } from "./reply.ts";
import { findRoute } from "./router.ts";
import { sendReply } from "./send-reply.ts";
import { SilenceLimit } from "./silence-limit.ts";

/**
 * Longer than Go's clients (90 s) and proxies (60 s) keep an idle connection: who closes it last sends no request into a
 * closing one, which fails what cannot be sent again, such as a blob.
 */
const keepAliveMs = 180_000;

export interface RegistryAuth {
  readonly guard: Guard;
  /** Where the registry gives tokens itself. */
  readonly tokens?: TokenEndpoint | undefined;
}

export interface RegistryServerOptions {
  readonly registry: Registry;
  readonly log: Log;
  /** As it is now; asked with each request. Default: everybody may do everything. */
  readonly auth?: () => RegistryAuth;
  readonly readOnly: boolean;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** The OCI distribution-spec on node:http; the caller makes it listen. docs/decisions has the why of node:http. */
export function createRegistryServer(options: RegistryServerOptions): Server {
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void serveRequest(request, response, options);
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.requestTimeout = 0; // a large blob over a slow line takes what it takes
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = keepAliveMs;
  server.timeout = 0; // Bun counts it during an answer from its beginning on; SilenceLimit does better
  return server;
}

async function serveRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: RegistryServerOptions,
): Promise<void> {
  response.on("error", () => response.destroy()); // a client that went away is no event
  try {
    const reply = await answer(incoming, options).catch((error) =>
      replyToFailure(error, incoming, options.log),
    );
    if (incoming.socket.destroyed) return; // nobody is there to hear it
    if (!incoming.complete) discardBody(incoming);
    await sendReply(response, reply, incoming.method === "HEAD");
    options.log.debug("registry.answered", {
      method: incoming.method,
      url: incoming.url,
      status: reply.status,
    });
  } catch (error) {
    options.log.warn("registry.broken-off", { url: incoming.url, message: messageOf(error) });
    response.destroy();
  }
}

async function answer(incoming: IncomingMessage, options: RegistryServerOptions): Promise<Reply> {
  const { auth, readOnly, registry } = options;
  const { guard, tokens }: RegistryAuth = auth?.() ?? { guard: openGuard };
  const { method = "GET", headers } = incoming;
  const [path = "/", query = ""] = splitOnce(originForm(incoming.url ?? "/"), "?");
  const bare = { method, headers, query: new URLSearchParams(query), body: cuttable(incoming) };
  if (tokens && path === tokenPath) return await tokens.answer(bare);
  const found = findRoute(method, path);
  const required = found ? requiredAccess(method, found.target) : [];
  const grant = await guard.admit(headers);
  if (!grant || !required.every((access) => grant.allows(access)))
    return guard.refuse(headers, required, grant);
  if (!found) {
    const error = { code: "UNSUPPORTED", message: `no such endpoint: ${path}`, detail: null };
    return jsonReply(404, { errors: [error] });
  }
  if (readOnly && method !== "GET" && method !== "HEAD")
    return errorReply(refusal("UNSUPPORTED", "this registry is read-only"), { Allow: "GET, HEAD" });
  return await found.handle({ ...bare, grant }, found.target, registry);
}

const cuttable = (incoming: IncomingMessage): RequestBody =>
  Object.assign(bodyOf(incoming), { cut: () => void incoming.socket.destroy() });

/** The body, whose end counts only if it was the body's end and not the connection's. */
async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  using limit = new SilenceLimit(incoming.socket); // destroying the request would send an empty 200
  const cut = new PlatformError("Cancelled", "the connection broke within the body");
  try {
    // Taking a chunk out of the stream must not destroy it: the refusal still has to be sent.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      limit.pause(); // while the chunk is being stored it is not the client that is silent
      yield chunk as Uint8Array;
      limit.restart();
    }
  } catch {
    throw cut;
  }
  if (!incoming.complete) throw cut;
}

function replyToFailure(error: unknown, incoming: IncomingMessage, log: Log): Reply {
  const cancelled = error instanceof PlatformError && error.kind === "Cancelled";
  const code = registryCode(error);
  if (code === "UNAVAILABLE") {
    const { method, url } = incoming;
    log.warn("registry.unavailable", { method, url, message: messageOf(error) });
  }
  if (code === "UNKNOWN" && !cancelled) {
    log.error("registry.failed", {
      method: incoming.method,
      url: incoming.url,
      message: messageOf(error),
      stack: error instanceof PlatformError ? undefined : (error as Error | undefined)?.stack,
    });
  }
  return errorReply(error);
}

/** Also a target with scheme and host is one of this server (RFC 9112, "absolute-form"). */
const originForm = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, "") || "/";

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
