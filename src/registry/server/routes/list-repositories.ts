import { compareBytes, paginate } from "../paginate.ts";
import { jsonReply } from "../reply.ts";
import type { Handler } from "../route.ts";

/** `GET /v2/_catalog`, an addition of Docker's registry. */
export const listRepositories: Handler = async ({ query }, { path }, { repositories }) => {
  const names = repositories.names().sort(compareBytes);
  const page = paginate(names, { path, query, keyOf: (name) => name, compare: compareBytes });
  return jsonReply(200, { repositories: page.items }, page.headers);
};
