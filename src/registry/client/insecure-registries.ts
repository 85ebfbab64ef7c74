import { HostList, type Lookup } from "./host-list.ts";
import { hostName, isLoopback } from "./host-name.ts";

/** Registries for which plain HTTP and any certificate will do: those on loopback, and the configured ones. */
export class InsecureRegistries {
  private readonly configured: HostList;

  /** `entries`: `host[:port]` and CIDR ranges. */
  constructor(entries: readonly string[], addressesOf?: Lookup) {
    this.configured = new HostList(entries, addressesOf);
  }

  /** `host[:port]`, as it stands in references. */
  async has(host: string): Promise<boolean> {
    return isLoopback(hostName(host)) || (await this.configured.has(host));
  }
}
