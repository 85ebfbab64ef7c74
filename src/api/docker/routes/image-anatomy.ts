import type { ImageExplainer } from "../../../engine/images/image-explainer.ts";
import { invalidParameter } from "../../../errors/platform-error.ts";
import { platformQuery } from "../platform-query.ts";
import { integerQuery } from "../query.ts";
import type { Route } from "../route.ts";

const defaultFiles = 5;

/** `GET /gantry/v1/images/{name}/anatomy?files=N|all&layer=N&platform=…`: an ImageAnatomy. */
export const imageAnatomyRoute = (explainer: ImageExplainer): Route => ({
  method: "GET",
  path: "/gantry/v1/images/{name}/anatomy",
  handle: async ({ params, query, signal }, reply) => {
    const anatomy = await explainer.explain(params.name ?? "", {
      platform: platformQuery(query),
      limit: fileLimit(query),
      layer: integerQuery(query, "layer"),
      signal,
    });
    reply.text(anatomy, { "Content-Type": "application/json" });
  },
});

function fileLimit(query: URLSearchParams): number {
  if (query.get("files") === "all") return Number.POSITIVE_INFINITY;
  const limit = integerQuery(query, "files") ?? defaultFiles;
  if (limit < 0) throw invalidParameter("files is a number from 0 on, or all");
  return limit;
}
