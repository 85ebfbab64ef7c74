import type { ImageMountRecord } from "../../../engine/images/image-mount-records.ts";
import type { ImageMounts } from "../../../engine/images/image-mounts.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import type { Route } from "../route.ts";

const wire = ({ path, image, imageId }: ImageMountRecord) => ({ Image: image, ImageID: imageId, Path: path });

/** Images mounted on the host: an array of `{Image, ImageID, Path}`, sorted by path. */
export const imageMountListRoute = (mounts: ImageMounts): Route => ({
  method: "GET",
  path: "/gantry/v1/image-mounts",
  handle: (_, reply) => reply.json(200, mounts.list().map(wire)),
});

/** `?image=NAME[&path=/DIR]`: mounts an image. */
export const imageMountRoute = (images: ImageService, mounts: ImageMounts): Route => ({
  method: "POST",
  path: "/gantry/v1/image-mounts",
  handle: ({ query }, reply) => {
    const name = query.get("image");
    if (!name) throw invalidParameter("image is missing: which one shall be mounted?");
    reply.json(201, wire(mounts.mount(images.store.resolve(name), name, query.get("path") || undefined)));
  },
});

/** `?path=/DIR` or `?image=NAME`: what was unmounted. */
export const imageUnmountRoute = (images: ImageService, mounts: ImageMounts): Route => ({
  method: "DELETE",
  path: "/gantry/v1/image-mounts",
  handle: async ({ query }, reply) => {
    const [path, name] = [query.get("path"), query.get("image")];
    if (!path && !name) throw invalidParameter("path or image is missing: what shall be unmounted?");
    const target = path ? { path } : { imageId: images.store.resolve(name ?? "").id, name: name ?? "" };
    reply.json(200, (await mounts.unmount(target)).map(wire));
  },
});
