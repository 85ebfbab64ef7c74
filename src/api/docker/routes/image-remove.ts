import type { ImageService } from "../../../engine/images/image-service.ts";
import { notImplemented } from "../../../errors/platform-error.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `noprune` keeps untagged parents: pulled and loaded images have none. */
export const imageRemoveRoute = (images: ImageService): Route => ({
  method: "DELETE",
  path: "/images/{name}",
  handle: async ({ params, query }, reply) => {
    if (query.get("platforms")) {
      throw notImplemented("removing one platform of an image is not built into gantry yet", {
        hint: "remove the whole image, or that platform's image by its id",
      });
    }
    const removed = await images.remove(params.name ?? "", { force: booleanQuery(query, "force") });
    reply.json(
      200,
      removed.map(({ kind, value }) => ({ [kind]: value })),
    );
  },
});
