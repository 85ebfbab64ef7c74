import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { platformQuery } from "../platform-query.ts";
import { progressStream } from "../progress-stream.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const imageLoadRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/load",
  handle: async ({ body, query, signal }, reply) => {
    const platform = platformQuery(query);
    const quiet = booleanQuery(query, "quiet", true);
    const archive: NodeReadableStream<Uint8Array> = Readable.toWeb(body);
    await progressStream(reply, (onProgress) =>
      images.load(archive as ReadableStream<Uint8Array>, {
        onProgress: (progress) => {
          if (!quiet || progress.stream !== undefined) onProgress(progress);
        },
        platform,
        signal,
      }),
    );
  },
});
