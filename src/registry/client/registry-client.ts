import type {
  Registries,
  RegistryCredentials,
  RemoteRepository,
  RemoteUploads,
} from "../../core/transfer/contract.ts";
import { PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { Reference } from "../../formats/reference.ts";
import { Authorizer } from "./authorizer.ts";
import { registryEndpoint } from "./registry-endpoint.ts";
import { RegistryRepository } from "./registry-repository.ts";
import { type KnownSchemes, RegistrySession } from "./registry-session.ts";
import { RegistryUploads } from "./registry-uploads.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { TokenCache } from "./token-cache.ts";
import { Transport } from "./transport.ts";

export interface RegistryClientOptions {
  readonly userAgent: string;
  /** Domains, with port if they have one, for which plain HTTP and any certificate will do. */
  readonly insecureRegistries?: readonly string[];
  readonly responseTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly retry?: RetryPolicy;
}

const defaultRetry: RetryPolicy = { attempts: 5, firstDelayMs: 150, maxDelayMs: 30_000 };

/** The client side of the distribution protocol, for all registries. Keeps tokens between pulls. */
export class RegistryClient implements Registries {
  private readonly transport: Transport;
  private readonly tokens = new TokenCache();
  private readonly schemes: KnownSchemes = new Map();
  private readonly insecure: ReadonlySet<string>;
  private readonly retry: RetryPolicy;

  constructor(options: RegistryClientOptions) {
    this.transport = new Transport({
      userAgent: options.userAgent,
      responseTimeoutMs: options.responseTimeoutMs ?? 30_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    });
    this.insecure = new Set(options.insecureRegistries ?? []);
    this.retry = options.retry ?? defaultRetry;
  }

  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository {
    const session = this.session(reference, credentials, `repository:${reference.path}:pull`, false);
    return new RegistryRepository(session, reference, this.retry);
  }

  uploads(
    reference: Reference,
    credentials: RegistryCredentials | undefined,
    mountFrom: readonly string[],
  ): RemoteUploads {
    const sources = mountFrom.map((path) => `repository:${path}:pull`);
    const scope = [`repository:${reference.path}:pull,push`, ...sources].join(" ");
    return new RegistryUploads(this.session(reference, credentials, scope, true), reference, this.retry);
  }

  async login(domain: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<void> {
    const session = this.session({ domain }, credentials, "", false);
    const response = await withRetries(this.retry, signal, () =>
      session.send({ method: "GET", path: "", signal }),
    );
    await response.discard();
    if (response.status === 200) return;
    const { status, statusText, request } = response;
    const text = `login attempt to ${request.url} failed with status: ${status} ${statusText}`.trimEnd();
    if (status === 401 || status === 403) {
      throw new PlatformError("Unauthorized", text, {
        code: "registry.unauthorized",
        hint: "check user name and password",
      });
    }
    throw unavailable(text, { code: "registry.unavailable" });
  }

  private session(
    { domain }: Pick<Reference, "domain">,
    credentials: RegistryCredentials | undefined,
    scope: string,
    isScopeFixed: boolean,
  ): RegistrySession {
    const endpoint = registryEndpoint(domain, this.insecure);
    const { verifyTls } = endpoint;
    const authorizer = new Authorizer(
      this.transport,
      this.tokens,
      credentials,
      scope,
      isScopeFixed,
      verifyTls,
    );
    return new RegistrySession(endpoint, this.transport, authorizer, this.schemes);
  }
}
