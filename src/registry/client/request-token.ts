import type { RegistryCredentials } from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import { JsonFields } from "../../formats/json-fields.ts";
import { basicHeader } from "./basic-header.ts";
import { hostName, isLoopback } from "./host-name.ts";
import type { Trust } from "./registry-endpoint.ts";
import { RegistryError, responseError } from "./response-error.ts";
import { shownRequest } from "./shown-request.ts";
import type { HttpResponse, Transport } from "./transport.ts";

export interface TokenRequest {
  readonly realm: string;
  readonly service: string;
  /** One or more, separated by spaces. */
  readonly scope: string;
  readonly credentials: RegistryCredentials | undefined;
  readonly trust: Trust;
  /** Asks also for an identity token, which can be kept instead of the password. */
  readonly isLogin?: boolean;
  readonly signal: AbortSignal;
}

export interface Token {
  readonly token: string;
  readonly lifeMs: number;
  readonly identityToken: string | undefined;
}

const clientId = "gantry";
const maxTokenBytes = 1 << 20;
/** Docker's "Token Authentication", expires_in: without it, and at least. */
const defaultLifeSeconds = 60;

/**
 * Asks a token server for a bearer token: with an identity token by OAuth2's POST, else by GET, with the
 * user's name and password if there are any.
 * Errors: Unauthorized when the server refuses the credentials; Unavailable for a server that does not work.
 */
export async function requestToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const realm = parseRealm(request);
  const response = request.credentials?.identitytoken
    ? await postForToken(transport, realm, request, request.credentials.identitytoken)
    : await getToken(transport, realm, request);
  if (response.status !== 200) throw await refused(response);
  return parseToken(await response.bytes(maxTokenBytes), realm);
}

function parseRealm({ realm, trust }: TokenRequest): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const safe =
    url?.protocol === "https:" ||
    (url?.protocol === "http:" && (!trust.verifyTls || isLoopback(hostName(url.host))));
  if (url && safe) return url;
  throw unavailable(`the registry names a token server that is no usable address: "${realm}"`, {
    code: "registry.bad-realm",
  });
}

function getToken(transport: Transport, realm: URL, request: TokenRequest): Promise<HttpResponse> {
  const { service, scope, credentials, trust, signal } = request;
  const url = new URL(realm);
  if (service) url.searchParams.set("service", service);
  for (const one of scope.split(" ").filter(Boolean)) url.searchParams.append("scope", one);
  url.searchParams.set("client_id", clientId);
  if (request.isLogin) url.searchParams.set("offline_token", "true");
  const authorization = basicHeader(credentials);
  if (credentials?.username) url.searchParams.set("account", credentials.username);
  const headers = authorization === undefined ? {} : { authorization };
  return transport.send({ method: "GET", url: url.href, headers, trust, signal });
}

async function postForToken(
  transport: Transport,
  realm: URL,
  request: TokenRequest,
  identityToken: string,
): Promise<HttpResponse> {
  const { service, scope, credentials, trust, signal } = request;
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service,
    client_id: clientId,
    scope,
    refresh_token: identityToken,
  });
  const response = await transport.send({
    method: "POST",
    url: realm.href,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form.toString(),
    trust,
    signal,
  });
  const unknown = response.status === 404 || response.status === 405;
  if (!unknown || basicHeader(credentials) === undefined) return response;
  await response.discard();
  return getToken(transport, realm, request);
}

async function refused(response: HttpResponse): Promise<PlatformError> {
  const { method, url } = response.request;
  const shown = shownRequest({ method, url: url.split("?", 1)[0] ?? url });
  const error = await responseError(response);
  const unauthorized = response.status === 401 || response.status === 403;
  if (unauthorized) {
    return new PlatformError("Unauthorized", `${shown}: ${error.message}`, {
      code: "registry.unauthorized",
      hint: "check user name and password of the registry",
    });
  }
  return error instanceof RegistryError
    ? error
    : unavailable(`${shown}: ${error.message}`, { code: "registry.token-server" });
}

function parseToken(bytes: Uint8Array, realm: URL): Token {
  const fields = JsonFields.parse(`the answer of the token server ${realm.host}`, bytes);
  const token = fields.string("token") ?? fields.string("access_token");
  if (token === undefined) throw fields.problem("token", "is missing");
  const seconds = Math.max(fields.wholeNumber("expires_in") ?? 0, defaultLifeSeconds);
  return { token, lifeMs: seconds * 1000, identityToken: fields.string("refresh_token") };
}
