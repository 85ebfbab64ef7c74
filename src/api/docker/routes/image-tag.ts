import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import type { Route } from "../route.ts";

export const imageTagRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/{name}/tag",
  handle: async ({ params, query }, reply) => {
    const repository = query.get("repo");
    if (!repository) throw invalidParameter("repo is missing");
    const tag = query.get("tag");
    await images.tag(params.name ?? "", tag ? `${repository}:${tag}` : repository);
    reply.empty(201);
  },
});
