import type { ImageService } from "../../../engine/images/image-service.ts";
import { platformsQuery } from "../platform-query.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `noprune` keeps untagged parents: pulled and loaded images have none. */
export const imageRemoveRoute = (images: ImageService): Route => ({
  method: "DELETE",
  path: "/images/{name}",
  handle: async ({ params, query }, reply) => {
    const [name, options] = [params.name ?? "", { force: booleanQuery(query, "force") }];
    const platforms = platformsQuery(query, "platforms");
    const removed =
      platforms.length === 0
        ? await images.remove(name, options)
        : await images.removePlatforms(name, platforms, options);
    reply.json(
      200,
      removed.map(({ kind, value }) => ({ [kind]: value })),
    );
  },
});
