import { type DiskUsage, parseUsageType, type UsageType } from "../../../engine/storage/disk-usage.ts";
import type { Route } from "../route.ts";

const everything: readonly UsageType[] = ["container", "image", "volume", "build-cache"];

/** `type`, repeatable, since 1.42: only these; the others are null then. */
export const systemDfRoute = (usage: DiskUsage): Route => ({
  method: "GET",
  path: "/system/df",
  handle: async ({ query, minor }, reply) => {
    const asked = minor >= 42 ? query.getAll("type").map(parseUsageType) : [];
    reply.json(200, await usage.docker(new Set(asked.length > 0 ? asked : everything)));
  },
});
