import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { platformsQuery } from "../platform-query.ts";
import type { Reply } from "../reply.ts";
import type { ApiRequest, Route } from "../route.ts";
import { tarStream } from "../tar-stream.ts";

/** Several images, `names=a&names=b`. engine-api, section 10. */
export const imageSaveRoute = (images: ImageService): Route => ({
  method: "GET",
  path: "/images/get",
  handle: async (request, reply) => {
    const names = request.query.getAll("names").filter((name) => name !== "");
    if (names.length === 0) throw invalidParameter("no image names given");
    await save(images, names, request, reply);
  },
});

export const imageSaveOneRoute = (images: ImageService): Route => ({
  method: "GET",
  path: "/images/{name}/get",
  handle: (request, reply) => save(images, [request.params.name ?? ""], request, reply),
});

async function save(
  images: ImageService,
  names: readonly string[],
  { query, signal }: ApiRequest,
  reply: Reply,
): Promise<void> {
  const platforms = platformsQuery(query, "platform");
  await tarStream(reply, (write) => images.save(names, { platforms, write, signal }));
}
