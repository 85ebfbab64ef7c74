import type { ImageService } from "../../../engine/images/image-service.ts";
import { imageSummary } from "../../../engine/images/image-summary.ts";
import { listImages } from "../../../engine/images/list-images.ts";
import { filtersQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const imageListRoute = (images: ImageService): Route => ({
  method: "GET",
  path: "/images/json",
  handle: ({ query, minor }, reply) => {
    const found = listImages(images.store.list(), filtersQuery(query), (name) => images.store.find(name));
    reply.json(
      200,
      found.map((image) => imageSummary(image, { minor, containers: images.containerCount(image) })),
    );
  },
});
