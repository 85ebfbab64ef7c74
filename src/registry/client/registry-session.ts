import { type PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { BodyReceiver } from "../../wire/body-receiver.ts";
import type { Authorizer } from "./authorizer.ts";
import { parseChallenges } from "./parse-challenges.ts";
import type { RegistryEndpoint } from "./registry-endpoint.ts";
import type { HttpMethod, HttpRequest, HttpResponse, Transport } from "./transport.ts";

export interface ApiRequest {
  readonly method: HttpMethod;
  /** Below `/v2/`: `library/busybox/manifests/latest`; or a whole URL that the registry named itself. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest["body"];
  /** See `HttpRequest`. */
  readonly receiver?: BodyReceiver | undefined;
  readonly signal: AbortSignal;
}

/** How long an insecure registry may take for an answer over TLS before plain HTTP is tried. */
const insecureTlsTimeoutMs = 3000;
const notTls = new Set(["registry.no-tls", "registry.refused", "registry.cut", "registry.timeout"]);

/** What requests are sent by. */
export type RequestSender = Pick<RegistrySession, "send">;

/** Remembers, for all sessions, which scheme a registry spoke last. By host. */
export type KnownSchemes = Map<string, "https" | "http">;

/** Requests to one registry: finds the scheme, answers challenges. */
export class RegistrySession {
  private endpoint: RegistryEndpoint | undefined;

  constructor(
    private readonly findEndpoint: () => Promise<RegistryEndpoint>,
    private readonly transport: Transport,
    private readonly authorizer: Authorizer,
    private readonly schemes: KnownSchemes,
  ) {}

  /** Any status is an answer; a second 401 too. Errors: Unavailable, Unauthorized, the signal's reason. */
  async send(request: ApiRequest): Promise<HttpResponse> {
    this.endpoint ??= await this.findEndpoint();
    const { endpoint, authorizer } = this;
    const known = await authorizer.header(endpoint.trust, request.signal);
    const response = await this.sendOnce(endpoint, request, known);
    if (response.status !== 401) return response;
    const challenges = parseChallenges(response.headers.get("www-authenticate"));
    const answer = await authorizer.afterChallenge(challenges, response.request).catch(async (error) => {
      await response.discard();
      throw error;
    });
    if (answer === undefined) return response;
    await response.discard();
    return this.sendOnce(endpoint, request, answer);
  }

  private async sendOnce(
    endpoint: RegistryEndpoint,
    request: ApiRequest,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    // A URL that the registry named has its scheme, which says nothing of the others.
    if (typeof request.path !== "string") return this.sendTo(endpoint, request.path, request, authorization);
    const known = this.schemes.get(endpoint.host);
    const candidates = known && endpoint.schemes.includes(known) ? [known] : endpoint.schemes;
    let failure: unknown;
    for (const [index, scheme] of candidates.entries()) {
      const isLast = index === candidates.length - 1;
      try {
        const url = new URL(`${scheme}://${endpoint.host}${endpoint.rootPath}${request.path}`);
        const { namespace } = endpoint;
        if (namespace !== undefined)
          url.search += `${url.search ? "&" : "?"}ns=${encodeURIComponent(namespace)}`;
        const timeoutMs = isLast ? undefined : insecureTlsTimeoutMs;
        const response = await this.sendTo(endpoint, url, request, authorization, timeoutMs);
        this.schemes.set(endpoint.host, scheme);
        return response;
      } catch (error) {
        // The next request finds out again: another server may listen there by then.
        this.schemes.delete(endpoint.host);
        failure = error;
        if (isLast || !notTls.has(codeOf(error))) break;
      }
    }
    throw failure;
  }

  private sendTo(
    endpoint: RegistryEndpoint,
    url: URL,
    { method, headers, body, receiver, signal }: ApiRequest,
    authorization: string | undefined,
    responseTimeoutMs = endpoint.responseTimeoutMs,
  ): Promise<HttpResponse> {
    // Storage elsewhere has its own keys in its URLs; the registry's are not for it, nor for everybody on the way.
    const isOurs = url.host === new URL(`${url.protocol}//${endpoint.host}`).host;
    const isOpen = url.protocol !== "https:" && endpoint.trust.verifyTls;
    return this.transport
      .send({
        method,
        url: url.href,
        headers: {
          ...headers,
          ...(authorization === undefined || !isOurs || isOpen ? {} : { authorization }),
        },
        hostHeaders: isOurs && !isOpen ? endpoint.headers : undefined,
        ...(body === undefined ? {} : { body }),
        trust: endpoint.trust,
        receiver,
        signal,
        responseTimeoutMs,
        connectTimeoutMs: endpoint.connectTimeoutMs,
      })
      .catch((error) => {
        throw codeOf(error) === "registry.refused" ? down(url.origin + endpoint.rootPath, error) : error;
      });
  }
}

/** Docker's engine asks the root of the API first, so that is what its users read when nobody listens. */
function down(root: string, error: PlatformError): PlatformError {
  const { code, hint } = error;
  const cause = error.message.replace(/^.*?": /, "");
  return unavailable(`Get "${root}": ${cause}`, { code, hint, cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
