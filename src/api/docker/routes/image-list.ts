import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { imageSummary } from "../../../engine/images/image-summary.ts";
import { listImages } from "../../../engine/images/list-images.ts";
import type { ManifestSummaries } from "../../../engine/images/manifest-summaries.ts";
import { sharedSizes } from "../../../engine/images/shared-sizes.ts";
import { booleanQuery, filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `all` changes nothing: there are no intermediate images. */
export const imageListRoute = (
  images: ImageService,
  snapshots: Snapshotter,
  manifests: ManifestSummaries,
): Route => ({
  method: "GET",
  path: "/images/json",
  handle: async ({ query, minor }, reply) => {
    const all = images.store.list();
    const found = listImages(all, filtersQuery(query), (name) => images.store.find(name));
    const shared = booleanQuery(query, "shared-size") ? sharedSizes(all, snapshots) : undefined;
    const containersOf = images.containersByImage();
    const withManifests = minor >= 47 && booleanQuery(query, "manifests");
    reply.json(
      200,
      await Promise.all(
        found.map(async (image) => ({
          ...imageSummary(image, {
            minor,
            containers: containersOf(image.id).length,
            sharedBytes: shared?.get(image.id),
          }),
          ...(withManifests ? await manifests.of(image.id) : {}),
        })),
      ),
    );
  },
});
