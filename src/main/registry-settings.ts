import { invalidParameter } from "../errors/platform-error.ts";
import { isRange } from "../registry/client/address-ranges.ts";
import { type ConfiguredMirror, parseMirror } from "../registry/client/parse-mirror.ts";
import type { Mirror, RegistrySettings } from "../registry/client/registry-settings.ts";

const dockerHub = "docker.io";

/**
 * Mirrors by domain, out of flags (`URL` for Docker Hub, as dockerd has it, or `HOST=URL`) and the file.
 * Errors: InvalidParameter in dockerd's words.
 */
export function parseMirrors(
  flags: readonly string[],
  configured: Readonly<Record<string, readonly ConfiguredMirror[]>>,
): RegistrySettings["mirrors"] {
  const mirrors: Record<string, Mirror[]> = {};
  const add = (domain: string, mirror: ConfiguredMirror) => {
    mirrors[domain] = [...(mirrors[domain] ?? []), parseMirror(mirror)];
  };
  for (const flag of flags) {
    const [, domain, url] = /^([^/=]+)=(.*)$/.exec(flag) ?? [];
    add(domain ?? dockerHub, { url: url ?? flag });
  }
  for (const [domain, list] of Object.entries(configured)) for (const mirror of list) add(domain, mirror);
  return mirrors;
}

/** `host[:port]` or CIDR. A scheme in front is dropped, as dockerd does. Errors: InvalidParameter. */
export function parseInsecureRegistry(text: string): string {
  const entry = text.replace(/^https?:\/\//i, "");
  if (isRange(entry) || /^(?:\[[0-9a-f:.]+\]|[^\s/:]+)(?::\d{1,5})?$/i.test(entry)) return entry;
  throw invalidParameter(`insecure registry ${text} is not valid: expected HOST, HOST:PORT or a CIDR range`, {
    code: "config.insecure-registry",
  });
}
