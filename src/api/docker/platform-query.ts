import { invalidParameter } from "../../errors/platform-error.ts";
import { definedOnly, JsonFields } from "../../formats/json-fields.ts";
import { normalizePlatform, type Platform } from "../../formats/platform.ts";

/**
 * The parameter `platform` of images: an OCI platform as JSON. Undefined when absent or empty.
 * Errors: InvalidParameter, also for more than one.
 */
export function platformQuery(query: URLSearchParams): Platform | undefined {
  const [platform, ...others] = platformsQuery(query, "platform");
  if (others.length > 0) {
    throw invalidParameter("only one platform can be chosen at a time", {
      hint: "ask once for each platform",
    });
  }
  return platform;
}

/** Each of a parameter that can be given several times. Errors: InvalidParameter. */
export function platformsQuery(query: URLSearchParams, name: string): Platform[] {
  return query
    .getAll(name)
    .filter((text) => text !== "")
    .map((text) => parse(name, text));
}

function parse(name: string, text: string): Platform {
  const fields = JsonFields.parse(name, text);
  const [os, architecture] = [fields.string("os"), fields.string("architecture")];
  if (os === undefined || architecture === undefined) {
    throw invalidParameter("both OS and Architecture must be provided");
  }
  return normalizePlatform(
    definedOnly<Platform>({
      os,
      architecture,
      variant: fields.string("variant"),
      "os.version": fields.string("os.version"),
      "os.features": fields.strings("os.features"),
    }),
  );
}
