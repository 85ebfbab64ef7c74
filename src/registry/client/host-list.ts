import { lookup } from "node:dns/promises";
import { AddressRanges, isRange } from "./address-ranges.ts";
import { hostName } from "./host-name.ts";

/** Finds the addresses of a name. Errors: any; a name without addresses is in no range. */
export type Lookup = (name: string) => Promise<readonly string[]>;

const lookUp: Lookup = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/** Registries that an operator names: by `host[:port]`, as it stands in references, or by ranges of addresses. */
export class HostList {
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

  /** A name is looked up only where there are ranges. */
  async has(host: string): Promise<boolean> {
    if (this.hosts.has(host)) return true;
    const { ranges } = this;
    if (ranges === undefined) return false;
    const name = hostName(host);
    if (ranges.has(name)) return true;
    const addresses = await this.addressesOf(name).catch(() => []);
    return addresses.some((address) => ranges.has(address));
  }
}
