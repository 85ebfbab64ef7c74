import { type CredentialsOf, type ManifestSources, memberOf } from "../../core/indexes/manifest-sources.ts";
import { canonicalReference, parseReference, withDefaultTag } from "../../formats/reference.ts";

/**
 * What a registry says of an image, without pulling it. engine-api.yaml, DistributionInspect.
 * Errors: those of the registry.
 */
export async function inspectDistribution(
  sources: Pick<ManifestSources, "inRegistry">,
  name: string,
  { credentialsOf, signal }: { readonly credentialsOf: CredentialsOf; readonly signal: AbortSignal },
): Promise<object> {
  const reference = withDefaultTag(parseReference(name));
  const found = await sources.inRegistry(reference, credentialsOf, signal);
  const { document, descriptor } = found;
  const described =
    document.kind === "index"
      ? document.manifests
      : [(await memberOf(canonicalReference(reference), found)).descriptor];
  return { Descriptor: descriptor, Platforms: described.flatMap(({ platform }) => platform ?? []) };
}
