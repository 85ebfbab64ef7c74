import type { ManifestSources } from "../../../core/indexes/manifest-sources.ts";
import { inspectDistribution } from "../../../engine/images/inspect-distribution.ts";
import { parseCredentials } from "../credentials.ts";
import type { Route } from "../route.ts";

export const distributionInspectRoute = (sources: Pick<ManifestSources, "inRegistry">): Route => ({
  method: "GET",
  path: "/distribution/{name}/json",
  handle: async ({ params, headers, signal }, reply) => {
    const credentials = parseCredentials(headers["x-registry-auth"]);
    const access = { credentialsOf: () => credentials, signal };
    reply.json(200, await inspectDistribution(sources, params.name ?? "", access));
  },
});
