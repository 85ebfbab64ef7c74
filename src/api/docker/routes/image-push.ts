import type { ImageService } from "../../../engine/images/image-service.ts";
import { notImplemented } from "../../../errors/platform-error.ts";
import { parseCredentials } from "../credentials.ts";
import { progressStream } from "../progress-stream.ts";
import type { Route } from "../route.ts";

/** Without a tag all tags of the repository go up. */
export const imagePushRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/{name}/push",
  handle: async ({ params, query, headers, signal }, reply) => {
    if (query.get("platform")) {
      throw notImplemented("choosing one platform of an image for a push is not built into gantry yet", {
        hint: "leave the platform out: the image that is here is pushed",
      });
    }
    const [name = "", tag] = [params.name, query.get("tag")];
    const reference = tag ? `${name}:${tag}` : name;
    const credentials = parseCredentials(headers["x-registry-auth"]);
    await progressStream(reply, (onProgress) => images.push({ reference, credentials, onProgress, signal }));
  },
});
