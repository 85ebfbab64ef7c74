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

/**
 * `host[:port]` or CIDR, of the list `name`. A scheme in front is dropped, as dockerd does.
 * Errors: InvalidParameter.
 */
export function parseRegistryHost(name: string, text: string): string {
  const entry = text.replace(/^https?:\/\//i, "");
  if (isRange(entry) || host.test(entry)) return entry;
  throw invalidParameter(`${name} ${text} is not valid: expected HOST, HOST:PORT or a CIDR range`, {
    code: `config.${name.replaceAll(" ", "-")}`,
  });
}

/** `[http://]host[:port]` or CIDR, as `LayerHosts` takes it. Errors: InvalidParameter. */
export function parseLayerUrlHost(text: string): string {
  const [, scheme = "", entry = ""] = /^(https?:\/\/)?(.*)$/i.exec(text) ?? [];
  if (scheme === "" && isRange(entry)) return entry;
  if (host.test(entry))
    return new URL(`${scheme || "https://"}${entry}`).href.replace(/^https:\/\/|\/$/g, "");
  throw invalidParameter(
    `layer URL host ${text} is not valid: expected HOST, HOST:PORT, http://HOST[:PORT] or a CIDR range`,
    { code: "config.layer-url-host" },
  );
}

const host = /^(?:\[[0-9a-f:.]+\]|[^\s/:]+)(?::\d{1,5})?$/i;
