import { JsonFields } from "../../formats/json-fields.ts";
import { responseError } from "./response-error.ts";
import type { HttpResponse } from "./transport.ts";

/** Lists of a registry come in pages. Distribution spec, "Listing Tags". */
export const pageSize = 1000;
/** A list that is longer is nothing to read through. */
export const maxPages = 100;
const maxAnswerBytes = 16 << 20;

/** One page. Errors: the registry's, and InvalidParameter for what is no JSON. */
export async function listing(response: HttpResponse): Promise<JsonFields> {
  if (response.status !== 200) throw await responseError(response);
  return JsonFields.parse("answer of the registry", await response.bytes(maxAnswerBytes));
}

/** RFC 8288: `</v2/_catalog?last=x&n=1000>; rel="next"`. */
export function nextPage(response: HttpResponse): URL | undefined {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  return link === undefined ? undefined : new URL(link, response.request.url);
}
