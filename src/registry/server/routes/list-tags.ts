import { compareTags, paginate } from "../paginate.ts";
import { refusal } from "../registry-error.ts";
import { documentReply, jsonReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `GET /v2/NAME/tags/list`. */
export const listTags: Handler = async ({ query }, { path, repository }, { repositories, cache }) => {
  const kept = await repositories.tags(repository);
  const upstream = await cache?.document(repository, `${repository}/tags/list?${query}`, kept.length > 0);
  if (upstream) return documentReply(upstream);
  if (!repositories.exists(repository)) throw refusal("NAME_UNKNOWN", `no such repository: ${repository}`);
  const page = paginate(kept.sort(compareTags), { path, query, keyOf: (tag) => tag, compare: compareTags });
  return jsonReply(200, { name: repository, tags: page.items }, page.headers);
};
