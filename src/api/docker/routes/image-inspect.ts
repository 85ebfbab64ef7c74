import type { ImagePlatforms } from "../../../core/images/image-platforms.ts";
import { type ImageSources, inspectImage } from "../../../engine/images/inspect-image.ts";
import type { ManifestSummaries } from "../../../engine/images/manifest-summaries.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { platformQuery } from "../platform-query.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const imageInspectRoute = (
  platforms: ImagePlatforms,
  sources: ImageSources,
  manifests: ManifestSummaries,
): Route => ({
  method: "GET",
  path: "/images/{name}/json",
  handle: async ({ params, query, minor }, reply) => {
    const name = params.name ?? "";
    const withManifests = minor >= 48 && booleanQuery(query, "manifests");
    const platform = minor >= 49 ? platformQuery(query) : undefined;
    if (withManifests && platform !== undefined) {
      throw invalidParameter("conflicting options: manifests and platform options cannot both be set");
    }
    const image = await platforms.choose(name, platform);
    reply.json(200, {
      ...inspectImage(image, sources, minor),
      ...(withManifests ? await manifests.of(name) : {}),
    });
  },
});
