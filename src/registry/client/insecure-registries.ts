import { lookup } from "node:dns/promises";
import { AddressRanges, isRange } from "./address-ranges.ts";
import { hostName, isLoopback } from "./host-name.ts";

/** Finds the addresses of a name. Errors: any; a name without addresses is in no range. */
export type Lookup = (name: string) => Promise<readonly string[]>;

const lookUp: Lookup = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/** Registries for which plain HTTP and any certificate will do: those on loopback, and the configured ones. */
export class InsecureRegistries {
  private readonly hosts: ReadonlySet<string>;
  private readonly ranges: AddressRanges | undefined;

  /** `entries`: `host[:port]` and CIDR ranges. */
  constructor(
    entries: readonly string[],
    private readonly addressesOf: Lookup = lookUp,
  ) {
    const ranges = entries.filter(isRange);
    this.hosts = new Set(entries.filter((entry) => !isRange(entry)));
    this.ranges = ranges.length > 0 ? new AddressRanges(ranges) : undefined;
  }

  /** `host[:port]`, as it stands in references. A name is looked up only where there are ranges. */
  async has(host: string): Promise<boolean> {
    const name = hostName(host);
    if (isLoopback(name) || this.hosts.has(host)) return true;
    const { ranges } = this;
    if (ranges === undefined) return false;
    if (ranges.has(name)) return true;
    const addresses = await this.addressesOf(name).catch(() => []);
    return addresses.some((address) => ranges.has(address));
  }
}
