import type { RegistryCredentials, RemoteRepository } from "../../../core/transfer/contract.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { type Digest, isDigest } from "../../../formats/digest.ts";
import type { RegistryClient } from "../../client/registry-client.ts";
import type { RegistryDocument } from "../../client/registry-documents.ts";
import { RegistryError } from "../../client/response-error.ts";
import { refusal, registryCode } from "../registry-error.ts";

/** The registry behind a cache. Errors: NotFound when it has no such thing; others when it does not say. */
export interface Upstream {
  /** `reference`: a tag or a digest. */
  repository(name: string, reference: string): RemoteRepository;
  /** `path` below `/v2/`. */
  document(name: string, path: string, signal: AbortSignal): Promise<RegistryDocument>;
  blobSize(name: string, digest: Digest, signal: AbortSignal): Promise<number>;
}

/** A registry of the network. */
export class RegistryUpstream implements Upstream {
  constructor(
    private readonly client: RegistryClient,
    /** `host[:port]`. */
    private readonly domain: string,
    private readonly credentials: RegistryCredentials | undefined,
  ) {}

  repository(name: string, reference: string): RemoteRepository {
    return this.client.repository(this.referenceOf(name, reference), this.credentials);
  }

  document(name: string, path: string, signal: AbortSignal): Promise<RegistryDocument> {
    return this.client.documents(this.referenceOf(name), this.credentials).get(path, signal);
  }

  blobSize(name: string, digest: Digest, signal: AbortSignal): Promise<number> {
    return this.client.documents(this.referenceOf(name), this.credentials).blobSize(name, digest, signal);
  }

  private referenceOf(path: string, reference = "") {
    const digest = isDigest(reference) ? reference : undefined;
    return { domain: this.domain, path, digest, tag: digest === undefined ? reference : undefined };
  }
}

export function isMissingUpstream(error: unknown): boolean {
  return error instanceof PlatformError && error.kind === "NotFound";
}

/** Of a refusal that `upstreamRefusal` made: whether the upstream may answer another time. */
export function isPassing(refused: unknown): boolean {
  return ["UNAVAILABLE", "TOOMANYREQUESTS"].includes(registryCode(refused));
}

/** What a client is told when the upstream failed and nothing is kept that could be served instead. */
export function upstreamRefusal(error: unknown, missing: () => PlatformError): unknown {
  if (!(error instanceof PlatformError) || error.code?.startsWith("content.")) return error;
  switch (error.kind) {
    case "NotFound":
      return missing();
    case "Unauthorized":
    case "Forbidden":
      return refusal("DENIED", `the upstream registry refuses it: ${error.message}`, error);
    case "Unavailable":
      if (error instanceof RegistryError && error.status === 429)
        return refusal("TOOMANYREQUESTS", `the upstream registry: ${error.message}`, error);
      return refusal("UNAVAILABLE", `the upstream registry does not answer: ${error.message}`, error);
    default:
      return error;
  }
}
