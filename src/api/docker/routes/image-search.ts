import type { ImageSearch } from "../../../engine/images/image-search.ts";
import { parseCredentials } from "../credentials.ts";
import { filtersQuery, integerQuery } from "../query.ts";
import type { Route } from "../route.ts";

export const imageSearchRoute = (images: ImageSearch): Route => ({
  method: "GET",
  path: "/images/search",
  handle: async ({ query, headers, signal }, reply) => {
    const hits = await images.search({
      term: query.get("term") ?? "",
      limit: integerQuery(query, "limit"),
      filters: filtersQuery(query),
      credentials: parseCredentials(headers["x-registry-auth"]),
      signal,
    });
    reply.json(
      200,
      hits.map(({ name, description, stars, isOfficial }) => ({
        star_count: stars,
        is_official: isOfficial,
        name,
        is_automated: false,
        description,
      })),
    );
  },
});
