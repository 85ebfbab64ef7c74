import { versionInfo } from "../../../engine/system/version-info.ts";
import { maximumApiVersion, minimumApiVersion } from "../api-version.ts";
import type { Route } from "../route.ts";

export const versionRoute: Route = {
  method: "GET",
  path: "/version",
  handle: (_, reply) =>
    reply.json(200, versionInfo({ minimum: minimumApiVersion, maximum: maximumApiVersion })),
};
