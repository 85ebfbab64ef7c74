import type { RegistryCredentials } from "../../../core/transfer/contract.ts";
import type { ImageService } from "../../../engine/images/image-service.ts";
import { invalidParameter, notImplemented } from "../../../errors/platform-error.ts";
import { progressStream } from "../progress-stream.ts";
import type { Route } from "../route.ts";

/** `POST /images/create`: a pull. Importing a tar archive (`fromSrc`) is not built. */
export const imageCreateRoute = (images: ImageService): Route => ({
  method: "POST",
  path: "/images/create",
  handle: async ({ query, headers, minor, signal }, reply) => {
    if (query.get("fromSrc"))
      throw notImplemented("importing images from a tar archive is not built into gantry yet");
    const name = query.get("fromImage");
    if (!name) throw invalidParameter("fromImage is missing");
    const reference = joinTag(name, query.get("tag") ?? "");
    const platform = minor >= 32 ? query.get("platform") || undefined : undefined;
    const credentials = parseCredentials(headers["x-registry-auth"]);
    await progressStream(reply, (onProgress) =>
      images.pull({ reference, platform, credentials, onProgress, signal }),
    );
  },
});

/** The tag parameter may also hold a digest. */
function joinTag(name: string, tag: string): string {
  if (tag === "") return name;
  return tag.includes(":") ? `${name}@${tag}` : `${name}:${tag}`;
}

const names = ["username", "password", "identitytoken", "registrytoken", "serveraddress"] as const;

/** base64url of JSON; what cannot be decoded counts as anonymous, as Docker does it. engine-api, section 7. */
export function parseCredentials(header: string | string[] | undefined): RegistryCredentials | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (!text) return undefined;
  try {
    const given = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Record<string, unknown>;
    const fields = names.flatMap((name) => {
      const value = given[name];
      return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
    });
    return fields.length > 0 ? Object.fromEntries(fields) : undefined;
  } catch {
    return undefined;
  }
}
