import type { ImageService } from "../../../engine/images/image-service.ts";
import { importSource } from "../../../engine/images/import-source.ts";
import type { Importer } from "../../../engine/images/importer.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { isDigest } from "../../../formats/digest.ts";
import { hostPlatform, parsePlatform } from "../../../formats/platform.ts";
import { familiarReference, parseReference, withDigest, withTag } from "../../../formats/reference.ts";
import { parseCredentials } from "../credentials.ts";
import { newImageName } from "../new-image-name.ts";
import { progressStream } from "../progress-stream.ts";
import type { Reply } from "../reply.ts";
import type { ApiRequest, Route } from "../route.ts";

/** `POST /images/create`: a pull, or with `fromSrc` an import. */
export const imageCreateRoute = (images: ImageService, importer: Importer): Route => ({
  method: "POST",
  path: "/images/create",
  handle: async (request, reply) => {
    const { query, headers, minor, signal } = request;
    const platform = minor >= 32 ? query.get("platform") || undefined : undefined;
    const source = query.get("fromSrc");
    if (source) return importImage(importer, source, platform, request, reply);
    const name = query.get("fromImage");
    if (!name) throw invalidParameter("fromImage is missing");
    const reference = joinTag(name, query.get("tag") ?? "");
    const credentials = parseCredentials(headers["x-registry-auth"]);
    await progressStream(reply, (onProgress) =>
      images.pull({ reference, platform, credentials, onProgress, signal }),
    );
  },
});

async function importImage(
  importer: Importer,
  source: string,
  platform: string | undefined,
  { query, body, signal }: ApiRequest,
  reply: Reply,
): Promise<void> {
  const host = hostPlatform();
  const options = {
    reference: newImageName(query),
    message: query.get("message") || `Imported from ${source}`,
    platform: platform === undefined ? host : parsePlatform(platform, host),
    changes: query.getAll("changes"),
    signal,
  };
  await progressStream(reply, async (onProgress) => {
    const archive = await importSource(source, body, { onProgress, signal });
    const { id } = await importer.import({ ...options, archive });
    onProgress({ status: id });
  });
}

/**
 * The tag parameter may also hold a digest, and counts before the tag of the name. Old clients end a name whose tags
 * they want all with a colon.
 */
function joinTag(name: string, tag: string): string {
  const reference = parseReference(name.replace(/:$/, ""));
  if (tag === "") return familiarReference(reference);
  if (isDigest(tag)) return familiarReference(withDigest(reference, tag));
  return familiarReference({ ...withTag(reference, tag), digest: reference.digest });
}
