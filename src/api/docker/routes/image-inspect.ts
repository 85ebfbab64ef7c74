import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { inspectImage } from "../../../engine/images/inspect-image.ts";
import type { Route } from "../route.ts";

export const imageInspectRoute = (images: ImageService, snapshots: Snapshotter): Route => ({
  method: "GET",
  path: "/images/{name}/json",
  handle: ({ params, minor }, reply) =>
    reply.json(200, inspectImage(images.store.resolve(params.name ?? ""), snapshots, minor)),
});
