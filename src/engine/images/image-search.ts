import type { Registries, RegistryCredentials, SearchHit } from "../../core/transfer/contract.ts";
import { invalidParameter } from "../../errors/platform-error.ts";
import { booleanFilter, checkFilterKeys, type Filters } from "../filters.ts";

export interface SearchRequest {
  /** `nginx` for Docker Hub, `localhost:5000/nginx` for another registry. */
  readonly term: string;
  readonly limit: number | undefined;
  readonly filters: Filters;
  readonly credentials: RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

const defaultLimit = 25;
const maxLimit = 100;

/** Finds repositories in Docker Hub, or in the registry that the term names. */
export class ImageSearch {
  constructor(private readonly registries: () => Promise<Registries>) {}

  /** Names are as a pull takes them. Errors: InvalidParameter for limit, filter or term; those of the registry. */
  async search({ term, limit, filters, credentials, signal }: SearchRequest): Promise<SearchHit[]> {
    checkFilterKeys(filters, ["is-automated", "is-official", "stars"]);
    // Nothing is automated any more: only who asks for such images gets none.
    const isAutomated = booleanFilter(filters, "is-automated");
    const isOfficial = booleanFilter(filters, "is-official");
    const stars = Math.max(0, ...(filters.get("stars") ?? []).map(parseStars));
    const wanted = checkLimit(limit);
    const { domain, rest } = splitTerm(term);
    if (isAutomated === true) return [];
    const registries = await this.registries();
    const hits = await registries.search(domain, { term: rest, limit: wanted, credentials, signal });
    return hits
      .filter((hit) => (isOfficial === undefined || hit.isOfficial === isOfficial) && hit.stars >= stars)
      .map((hit) => (domain === "docker.io" ? hit : { ...hit, name: `${domain}/${hit.name}` }));
  }
}

function checkLimit(limit: number | undefined): number {
  if (limit === undefined || limit === 0) return defaultLimit;
  if (limit >= 1 && limit <= maxLimit) return limit;
  throw invalidParameter(`limit ${limit} is outside the range of [1, ${maxLimit}]`);
}

function parseStars(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidParameter(`invalid filter 'stars=[${text}]'`);
}

/** As in references, what has a dot, a colon, or is `localhost` is a registry. */
export function splitTerm(term: string): { domain: string; rest: string } {
  if (term === "") throw invalidParameter("term is missing");
  if (term.includes("://")) {
    throw invalidParameter(`invalid repository name: repository name (${term}) should not have a scheme`);
  }
  const slash = term.indexOf("/");
  const first = term.slice(0, slash);
  const isDomain = slash > 0 && (/[.:]/.test(first) || first === "localhost");
  if (!isDomain) return { domain: "docker.io", rest: term.replace(/^library\//, "") };
  const rest = term.slice(slash + 1);
  return first === "docker.io" || first === "index.docker.io"
    ? { domain: "docker.io", rest: rest.replace(/^library\//, "") }
    : { domain: first, rest };
}
