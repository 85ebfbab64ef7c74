import type { ImageService } from "../../../engine/images/image-service.ts";
import { parseCredentials } from "../credentials.ts";
import { platformQuery } from "../platform-query.ts";
import { progressStream } from "../progress-stream.ts";
import type { Route } from "../route.ts";

/** Without a tag all tags of the repository go up. */
export const imagePushRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/{name}/push",
  handle: async ({ params, query, headers, signal }, reply) => {
    const platform = platformQuery(query);
    const [name = "", tag] = [params.name, query.get("tag")];
    const reference = tag ? `${name}:${tag}` : name;
    const credentials = parseCredentials(headers["x-registry-auth"]);
    await progressStream(reply, (onProgress) =>
      images.push({ reference, platform, credentials, onProgress, signal }),
    );
  },
});
