import { isIP } from "node:net";
import { type PlatformError, unavailable } from "../../errors/platform-error.ts";
import type { AddressPolicy } from "../../wire/body-receiver.ts";
import { isRange } from "./address-ranges.ts";
import { hostName } from "./host-name.ts";
import { isPermitted } from "./public-addresses.ts";

/**
 * Which URLs of layers the engine asks. Whoever wrote the manifest chose them, so they must not lead to what only this
 * machine can reach: https to public addresses is for all, everything else for what the operator names.
 */
export class LayerHosts {
  private readonly ranges: readonly string[];
  /** By `host[:port]` of the URLs. */
  private readonly named: ReadonlySet<string>;
  private readonly plain: ReadonlySet<string>;

  /** `entries`: `host[:port]`, `http://host[:port]` where plain HTTP will do, and CIDR ranges. */
  constructor(entries: readonly string[]) {
    this.ranges = entries.filter(isRange);
    const hosts = entries.filter((entry) => !isRange(entry));
    this.plain = new Set(hosts.filter((entry) => entry.startsWith(plainScheme)).map(withoutScheme));
    this.named = new Set(hosts.map(withoutScheme));
  }

  /**
   * The addresses that a connection for the URL may have; undefined: any. The same is asked for each redirect.
   * Errors: Unavailable that says why the URL is not asked, with a hint for the operator.
   */
  policyFor(url: URL): AddressPolicy | undefined {
    if (url.username !== "" || url.password !== "") throw refused(url, "it has a user name or password");
    if (url.protocol !== "https:" && url.protocol !== "http:") {
      throw refused(url, `${url.protocol.slice(0, -1)} is neither https nor http`);
    }
    if (url.protocol === "http:" && !this.plain.has(url.host)) {
      throw refused(url, "it is not encrypted", `allow it with --layer-url-host http://${url.host}`);
    }
    if (this.named.has(url.host)) return undefined;
    const policy = { alsoIn: this.ranges };
    const name = hostName(url.host);
    const isLocal = /(?:^|\.)localhost\.?$/.test(name);
    if (isLocal || (isIP(name) !== 0 && !isPermitted(name, policy))) {
      throw refused(url, "it is not on the public internet", `allow it with --layer-url-host ${url.host}`);
    }
    return policy;
  }
}

const plainScheme = "http://";
const withoutScheme = (entry: string) => entry.replace(plainScheme, "");

function refused(url: URL, reason: string, hint?: string): PlatformError {
  return unavailable(`${url.origin === "null" ? url.protocol : url.origin} is not asked: ${reason}`, {
    code: "registry.url-refused",
    hint,
  });
}
