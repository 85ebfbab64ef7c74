import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import { imageHistory } from "../../../engine/images/image-history.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import type { Route } from "../route.ts";

export const imageHistoryRoute = (images: ImageService, snapshots: Snapshotter): Route => ({
  method: "GET",
  path: "/images/{name}/history",
  handle: ({ params }, reply) =>
    reply.json(200, imageHistory(images.store.resolve(params.name ?? ""), snapshots)),
});
