import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter, notImplemented } from "../../../errors/platform-error.ts";
import { parseCredentials } from "../credentials.ts";
import { progressStream } from "../progress-stream.ts";
import type { Route } from "../route.ts";

/** `POST /images/create`: a pull. Importing a tar archive (`fromSrc`) is not built. */
export const imageCreateRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/create",
  handle: async ({ query, headers, minor, signal }, reply) => {
    if (query.get("fromSrc"))
      throw notImplemented("importing images from a tar archive is not built into gantry yet");
    const name = query.get("fromImage");
    if (!name) throw invalidParameter("fromImage is missing");
    const reference = joinTag(name, query.get("tag") ?? "");
    const platform = minor >= 32 ? query.get("platform") || undefined : undefined;
    const credentials = parseCredentials(headers["x-registry-auth"]);
    await progressStream(reply, (onProgress) =>
      images.pull({ reference, platform, credentials, onProgress, signal }),
    );
  },
});

/** The tag parameter may also hold a digest. */
function joinTag(name: string, tag: string): string {
  if (tag === "") return name;
  return tag.includes(":") ? `${name}@${tag}` : `${name}:${tag}`;
}
