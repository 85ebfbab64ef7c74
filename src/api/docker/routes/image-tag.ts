import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { familiarReference, parseReference, withTag } from "../../../formats/reference.ts";
import type { Route } from "../route.ts";

export const imageTagRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/{name}/tag",
  handle: async ({ params, query }, reply) => {
    const repository = query.get("repo");
    if (!repository) throw invalidParameter("repo is missing");
    const reference = parseReference(repository);
    const tag = query.get("tag");
    // The tag counts before that of the name; a name with a digest is refused as it is.
    const isTagged = tag !== null && tag !== "" && reference.digest === undefined;
    await images.tag(params.name ?? "", familiarReference(isTagged ? withTag(reference, tag) : reference));
    reply.empty(201);
  },
});
