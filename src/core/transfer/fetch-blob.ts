import { messageOf } from "../../errors/platform-error.ts";
import { parseReference, type Reference } from "../../formats/reference.ts";
import type { ContentStore, Descriptor } from "../content/contract.ts";
import type { Image } from "../images/contract.ts";
import type { Registries, RegistryCredentials, RemoteRepository } from "./contract.ts";
import { isResumable } from "./fetch-layer.ts";

export interface BlobOrigin {
  readonly content: ContentStore;
  readonly registries: Registries;
  /** For the registry of a push; others are asked without. */
  readonly credentialsOf: (repository: Reference) => RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

/**
 * Brings a blob of an image that was unpacked and is not stored: the repositories by whose digests the image is known
 * have it. Undefined when it is there; otherwise why none of them gave it.
 */
export async function fetchBlob(
  { content, registries, credentialsOf, signal }: BlobOrigin,
  image: Image,
  blob: Descriptor,
): Promise<string | undefined> {
  const failures: string[] = [];
  for (const repository of image.repoDigests.map(parseReference)) {
    const remote = registries.repository(repository, credentialsOf(repository));
    try {
      await download(content, remote, blob, signal);
      return undefined;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      failures.push(messageOf(error));
    }
  }
  return failures.length > 0 ? failures.join("; ") : "no registry is known to have it";
}

async function download(
  content: ContentStore,
  remote: RemoteRepository,
  blob: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const ingest = await content.ingest(blob, signal);
  if (ingest === undefined) return;
  try {
    await remote.download(blob, ingest, signal);
    await ingest.commit();
  } catch (error) {
    await ingest.close({ keep: isResumable(error), reason: error });
    if (signal.aborted || !remote.reject(blob)) throw error;
    await download(content, remote, blob, signal);
  }
}
