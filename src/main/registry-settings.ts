import { invalidParameter } from "../errors/platform-error.ts";
import { isRange } from "../registry/client/address-ranges.ts";
import type { Mirror, RegistrySettings } from "../registry/client/registry-settings.ts";
import type { ConfiguredMirror } from "./engine-config-file.ts";

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

const capabilities = ["pull", "resolve"];

function parseMirror(mirror: ConfiguredMirror): Mirror {
  const shown = JSON.stringify(mirror.url);
  if (!URL.canParse(mirror.url)) throw invalid(`${shown} is not a valid URI`);
  const url = new URL(mirror.url);
  if (url.username || url.password) throw invalid("username/password not allowed in URI");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw invalid(`unsupported scheme ${JSON.stringify(url.protocol.slice(0, -1))} in ${shown}`);
  }
  if (url.search || url.hash) throw invalid(`query or fragment at end of the URI ${shown}`);
  for (const capability of mirror.capabilities ?? []) {
    if (!capabilities.includes(capability)) {
      throw invalid(`${shown} cannot be used for ${JSON.stringify(capability)}`);
    }
  }
  const root = url.href.replace(/\/*$/, "/");
  return {
    url: root,
    apiRoot: mirror.overridePath ? root : `${root}v2/`,
    canResolve: mirror.capabilities?.includes("resolve") ?? true,
    skipVerify: mirror.skipVerify ?? false,
  };
}

const invalid = (cause: string) => invalidParameter(`invalid mirror: ${cause}`, { code: "config.mirror" });

/** `host[:port]` or CIDR. A scheme in front is dropped, as dockerd does. Errors: InvalidParameter. */
export function parseInsecureRegistry(text: string): string {
  const entry = text.replace(/^https?:\/\//i, "");
  if (isRange(entry) || /^(?:\[[0-9a-f:.]+\]|[^\s/:]+)(?::\d{1,5})?$/i.test(entry)) return entry;
  throw invalidParameter(`insecure registry ${text} is not valid: expected HOST, HOST:PORT or a CIDR range`, {
    code: "config.insecure-registry",
  });
}
