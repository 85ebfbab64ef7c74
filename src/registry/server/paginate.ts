import { refusal } from "./registry-error.ts";
import type { Reply } from "./reply.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** `Link` to the next page, where there is one. */
  readonly headers: Reply["headers"];
}

/**
 * The page that `n` and `last` ask for. `last` need not be an item: the page begins with what comes behind it.
 *
 * In:     items in the order of `compare`; `path` and `query` of this request, for the link.
 * Errors: PAGINATION_NUMBER_INVALID for an `n` that is no whole number.
 * Spec:   distribution-spec, "Listing Tags".
 */
export function paginate<T>(
  items: readonly T[],
  options: {
    readonly path: string;
    readonly query: URLSearchParams;
    readonly keyOf: (item: T) => string;
    readonly compare: (a: string, b: string) => number;
    /** The longest page, also for those who do not ask for pages. */
    readonly maximum?: number;
  },
): Page<T> {
  const { path, query, keyOf, compare, maximum = Number.MAX_SAFE_INTEGER } = options;
  const last = query.get("last");
  const rest = last === null ? items : items.filter((item) => compare(keyOf(item), last) > 0);
  const page = rest.slice(0, Math.min(maximum, pageSize(query.get("n"))));
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { items: page, headers: {} };
  const next = new URLSearchParams(query);
  next.set("n", String(page.length));
  next.set("last", keyOf(end));
  return { items: page, headers: { Link: `<${path}?${next}>; rel="next"` } };
}

function pageSize(text: string | null): number {
  if (text === null || text === "") return Number.MAX_SAFE_INTEGER;
  if (/^\d+$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  throw refusal("PAGINATION_NUMBER_INVALID", `n=${text}: not a whole number`);
}

export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Lexical, and that means without regard to case (distribution-spec, "Listing Tags"). */
export function compareTags(a: string, b: string): number {
  return compareBytes(a.toLowerCase(), b.toLowerCase()) || compareBytes(a, b);
}
