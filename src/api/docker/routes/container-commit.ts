import type { ContainerStore } from "../../../engine/containers/container-store.ts";
import type { Committer } from "../../../engine/images/committer.ts";
import { readContainerConfig } from "../../../engine/spec/parse-docker-config.ts";
import { optionalJsonBody } from "../json-body.ts";
import { newImageName } from "../new-image-name.ts";
import { booleanQuery } from "../query.ts";
import type { Route } from "../route.ts";

/** `POST /commit`. The body, which may be absent, is a container's configuration in place of its own. */
export const containerCommitRoute = (store: ContainerStore, committer: Committer): Route => ({
  method: "POST",
  path: "/commit",
  handle: async (request, reply) => {
    const { query, signal } = request;
    const body = await optionalJsonBody(request);
    const image = await committer.commit(store.get(query.get("container") ?? ""), {
      reference: newImageName(query),
      author: query.get("author") ?? "",
      comment: query.get("comment") ?? "",
      pause: query.get("pause") ? booleanQuery(query, "pause") : true,
      config: body && readContainerConfig(body, "config"),
      changes: query.getAll("changes"),
      signal,
    });
    reply.json(201, { Id: image.id });
  },
});
