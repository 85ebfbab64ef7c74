import { unavailable } from "../../errors/platform-error.ts";
import { formatIPv4, maskOf, parseIPv4, parseSubnet } from "../../kernel/netlink/ipv4.ts";

/**
 * Addresses of a subnet, in Docker's order: the next one after the last that was given out, so that a freed
 * address comes back as late as possible. The network's own, the broadcast and the gateway's are never given.
 */
export class AddressAllocator {
  readonly gateway: string;
  readonly prefixLength: number;
  private readonly first: number;
  private readonly last: number;
  private readonly used: Set<number>;
  private previous: number;

  /** `172.17.0.0/16`; the gateway is its first usable address unless given. */
  constructor(
    readonly subnet: string,
    gateway?: string,
  ) {
    const { address, prefixLength } = parseSubnet(subnet);
    this.prefixLength = prefixLength;
    this.first = address + 1;
    this.last = ((address | ~maskOf(prefixLength)) >>> 0) - 1;
    this.gateway = gateway ?? formatIPv4(this.first);
    this.used = new Set([parseIPv4(this.gateway)]);
    this.previous = parseIPv4(this.gateway);
  }

  /** Errors: Unavailable when all are in use. */
  allocate(): string {
    const size = this.last - this.first + 1;
    for (let step = 1; step <= size; step++) {
      const candidate = this.first + ((this.previous - this.first + step) % size);
      if (this.used.has(candidate)) continue;
      this.used.add(candidate);
      this.previous = candidate;
      return formatIPv4(candidate);
    }
    throw unavailable(`no available IPv4 addresses in subnet ${this.subnet}`, {
      code: "network.subnet-full",
    });
  }

  /** Marks an address of a running container. One that is not of this subnet is none of our business. */
  reserve(ip: string): void {
    const value = parseIPv4(ip);
    if (value < this.first || value > this.last) return;
    this.used.add(value);
    this.previous = Math.max(this.previous, value);
  }

  /** A second call does nothing. */
  release(ip: string): void {
    if (ip !== this.gateway) this.used.delete(parseIPv4(ip));
  }
}

/** Docker's scheme: 02:42 and the address, so that a neighbour's ARP entry stays right when it is used again. */
export function macOf(ip: string): string {
  return ["02", "42", ...ip.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
}
