import type { ImageService } from "../../../engine/images/image-service.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `noprune` keeps untagged parents: pulled and loaded images have none. */
export const imageRemoveRoute = (images: ImageService): Route => ({
  method: "DELETE",
  path: "/images/{name}",
  handle: async ({ params, query }, reply) => {
    const removed = await images.remove(params.name ?? "", { force: booleanQuery(query, "force") });
    reply.json(
      200,
      removed.map(({ kind, value }) => ({ [kind]: value })),
    );
  },
});
