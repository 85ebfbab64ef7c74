import type { Creator } from "../../../engine/containers/creator.ts";
import { jsonBody } from "../json-body.ts";
import type { Route } from "../route.ts";

export const containerCreateRoute = (creator: Creator): Route => ({
  method: "POST",
  path: "/containers/create",
  handle: async (request, reply) => {
    const { container, warnings } = await creator.create({
      name: request.query.get("name") || undefined,
      platform: request.query.get("platform") || undefined,
      body: await jsonBody(request),
    });
    reply.json(201, { Id: container.id, Warnings: warnings });
  },
});
