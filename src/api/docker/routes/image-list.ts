import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import { ImageList } from "../../../engine/images/image-list.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { imageSummary } from "../../../engine/images/image-summary.ts";
import { foldPlatforms, listImages } from "../../../engine/images/list-images.ts";
import type { ManifestSummaries } from "../../../engine/images/manifest-summaries.ts";
import { sharedSizes } from "../../../engine/images/shared-sizes.ts";
import { booleanQuery, filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `all` shows the other platforms of names beside them; there are no intermediate images. */
export function imageListRoute(
  images: ImageService,
  snapshots: Snapshotter,
  manifests: ManifestSummaries,
): Route {
  const list = new ImageList(images);
  return {
    method: "GET",
    path: "/images/json",
    handle: async ({ query, minor }, reply) => {
      const filters = filtersQuery(query);
      const withSharedSize = booleanQuery(query, "shared-size");
      const withManifests = minor >= 47 && booleanQuery(query, "manifests");
      const withVariants = booleanQuery(query, "all");
      if (filters.size === 0 && !withVariants && !withSharedSize && !withManifests) {
        const { summaries, json } = list.all(minor);
        reply.json(200, summaries, json);
        return;
      }
      const all = images.store.list();
      const find = (name: string) => images.store.find(name);
      const found = listImages(withVariants ? all : foldPlatforms(all, find), filters, find);
      const shared = withSharedSize ? sharedSizes(all, snapshots) : undefined;
      const containers = images.containerCounts();
      reply.json(
        200,
        await Promise.all(
          found.map(async (image) => ({
            ...imageSummary(image, {
              minor,
              containers: containers.get(image.id) ?? 0,
              sharedBytes: shared?.get(image.id),
            }),
            ...(withManifests ? await manifests.of(image.id) : {}),
          })),
        ),
      );
    },
  };
}
