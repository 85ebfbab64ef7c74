import { BlockList, isIP } from "node:net";

/** IP addresses in CIDR form. */
export class AddressRanges {
  private readonly list = new BlockList();

  /** What is no range, by `isRange`, has no addresses. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges.filter(isRange)) {
      const [address = "", bits] = range.split("/");
      this.list.addSubnet(address, Number(bits), family(address));
    }
  }

  has(address: string): boolean {
    return isIP(address) !== 0 && this.list.check(address, family(address));
  }
}

/** `10.0.0.0/8`, `fd00::/8`. */
export function isRange(text: string): boolean {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
