import type { ImagePlatforms } from "../../../core/images/image-platforms.ts";
import type { Snapshotter } from "../../../core/snapshots/contract.ts";
import { imageHistory } from "../../../engine/images/image-history.ts";
import { platformQuery } from "../platform-query.ts";
import type { Route } from "../route.ts";

export const imageHistoryRoute = (platforms: ImagePlatforms, snapshots: Snapshotter): Route => ({
  method: "GET",
  path: "/images/{name}/history",
  handle: async ({ params, query, minor }, reply) => {
    const platform = minor >= 48 ? platformQuery(query) : undefined;
    reply.json(200, imageHistory(await platforms.choose(params.name ?? "", platform), snapshots));
  },
});
