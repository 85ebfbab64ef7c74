import { hostPlatform, parsePlatform } from "../../formats/platform.ts";

/** `--platform linux/arm64` as images' routes take it: an OCI platform in JSON. Errors: InvalidParameter. */
export function platformJson(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : JSON.stringify(parsePlatform(text, hostPlatform()));
}
