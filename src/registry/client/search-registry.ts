import type { SearchHit } from "../../core/transfer/contract.ts";
import { unavailable } from "../../errors/platform-error.ts";
import { listing, maxPages, nextPage, pageSize } from "./listing.ts";
import type { RegistrySession } from "./registry-session.ts";
import type { HttpResponse } from "./transport.ts";

export interface RegistrySearch {
  /** Part of a repository's path. */
  readonly term: string;
  readonly limit: number;
  readonly signal: AbortSignal;
}

const noCatalog = new Set([403, 404, 405, 501]);

/** By Docker Hub's API of old, which some other registries have as well. `session`: below `/v1/`. */
export async function searchIndex(
  session: RegistrySession,
  { term, limit, signal }: RegistrySearch,
): Promise<SearchHit[]> {
  const query = new URLSearchParams({ q: term, n: String(limit) });
  const response = await session.send({ method: "GET", path: `search?${query}`, signal });
  const fields = await listing(response);
  return (fields.objects("results") ?? []).slice(0, limit).map((result) => ({
    name: result.requiredString("name"),
    description: result.string("description") ?? "",
    stars: result.wholeNumber("star_count") ?? 0,
    isOfficial: result.boolean("is_official") ?? false,
  }));
}

/**
 * By reading the catalog of a registry: repositories whose path contains the term, in its order. Undefined if the
 * registry shows nobody a catalog. `session`: below `/v2/`. Distribution spec, "Listing Repositories" (an extension).
 */
export async function searchCatalog(
  session: RegistrySession,
  { term, limit, signal }: RegistrySearch,
): Promise<SearchHit[] | undefined> {
  const wanted = term.toLowerCase();
  const hits: SearchHit[] = [];
  let path: string | URL = `_catalog?n=${pageSize}`;
  for (let page = 0; page < maxPages; page++) {
    const response: HttpResponse = await session.send({ method: "GET", path, signal });
    if (page === 0 && noCatalog.has(response.status)) {
      await response.discard();
      return undefined;
    }
    const fields = await listing(response);
    for (const name of fields.strings("repositories") ?? []) {
      if (!name.includes(wanted)) continue;
      hits.push({ name, description: "", stars: 0, isOfficial: false });
      if (hits.length === limit) return hits;
    }
    const next = nextPage(response);
    if (next === undefined) return hits;
    path = next;
  }
  throw unavailable(`the catalog of the registry has more than ${maxPages * pageSize} repositories`, {
    code: "registry.too-long",
    hint: "search for less with --limit",
  });
}
