import { unavailable } from "../../errors/platform-error.ts";
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

/** RFC 8288: `</v2/_catalog?last=x&n=1000>; rel="next"`. Errors: Unavailable for what is no address. */
export function nextPage(response: HttpResponse): URL | undefined {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  if (link === undefined) return undefined;
  if (URL.canParse(link, response.request.url)) return new URL(link, response.request.url);
  throw unavailable(`the registry names a next page that is no address: ${JSON.stringify(link)}`, {
    code: "registry.bad-link",
  });
}
