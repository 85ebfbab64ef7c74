import { invalidParameter } from "../../errors/platform-error.ts";
import type { Capability, Mirror } from "./registry-settings.ts";

/** A mirror as a file has it; containerd's terms. */
export interface ConfiguredMirror {
  readonly url: string;
  /** Without `resolve` it is not asked what a tag means; default: `pull` and `resolve`. */
  readonly capabilities?: readonly string[] | undefined;
  /** The URL is the whole root of the API: `/v2/` is not put behind it. */
  readonly overridePath?: boolean | undefined;
  readonly skipVerify?: boolean | undefined;
}

const ofMirrors: readonly Capability[] = ["pull", "resolve"];

/** `possible`: what it can be used for. Errors: InvalidParameter in dockerd's words. */
export function parseMirror(mirror: ConfiguredMirror, possible = ofMirrors): Mirror {
  const shown = JSON.stringify(mirror.url);
  if (!URL.canParse(mirror.url)) throw invalid(`${shown} is not a valid URI`);
  const url = new URL(mirror.url);
  if (url.username || url.password) throw invalid("username/password not allowed in URI");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw invalid(`unsupported scheme ${JSON.stringify(url.protocol.slice(0, -1))} in ${shown}`);
  }
  if (url.search || url.hash) throw invalid(`query or fragment at end of the URI ${shown}`);
  const capabilities = mirror.capabilities?.map((named) => {
    const capability = possible.find((each) => each === named);
    if (capability === undefined) throw invalid(`${shown} cannot be used for ${JSON.stringify(named)}`);
    return capability;
  });
  const root = url.href.replace(/\/*$/, "/");
  return {
    url: root,
    apiRoot: mirror.overridePath ? root : `${root}v2/`,
    capabilities: capabilities ?? ofMirrors,
    skipVerify: mirror.skipVerify ?? false,
  };
}

const invalid = (cause: string) => invalidParameter(`invalid mirror: ${cause}`, { code: "config.mirror" });
