import { hostPlatform, parsePlatform } from "../../formats/platform.ts";

/** `--platform linux/arm64` as images' routes take it: an OCI platform in JSON. Errors: InvalidParameter. */
export function platformJson(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : JSON.stringify(parsePlatform(text, hostPlatform()));
}

/** Of a flag that is repeated, or has several with commas between them. */
export function platformsJson(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",")).flatMap((text) => platformJson(text) ?? []);
}
