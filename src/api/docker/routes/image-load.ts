import type { ImageService } from "../../../engine/images/image-service.ts";
import { platformsQuery } from "../platform-query.ts";
import { progressStream } from "../progress-stream.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const imageLoadRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/load",
  handle: async ({ body, query, signal }, reply) => {
    const platforms = platformsQuery(query, "platform");
    const quiet = booleanQuery(query, "quiet", true);
    await progressStream(reply, (onProgress) =>
      images.load(body, {
        onProgress: (progress) => {
          if (!quiet || progress.stream !== undefined) onProgress(progress);
        },
        platforms,
        signal,
      }),
    );
  },
});
