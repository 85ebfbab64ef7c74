import { isIP } from "node:net";
import type { AddressPolicy } from "../../wire/body-receiver.ts";
import { AddressRanges } from "./address-ranges.ts";

/**
 * IPv4 addresses that are not on the public internet: private, loopback, link-local, shared, for tests and protocols.
 * IANA IPv4 Special-Purpose Address Registry; multicast and reserved ones too.
 */
const special4 = new AddressRanges([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]);

/** Of IPv6 only this is given to networks of the internet (RFC 4291, "Global Unicast Addresses"). */
const global6 = new AddressRanges(["2000::/3"]);
/** In it: protocols such as Teredo, documentation, and 6to4, which carry other addresses inside. */
const special6 = new AddressRanges(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

/** Whether an address is on the public internet. What carries an IPv4 address inside (mapped, NAT64) never is. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !special4.has(address);
  return isIP(address) === 6 && global6.has(address) && !special6.has(address);
}

export function isPermitted(address: string, { alsoIn }: AddressPolicy): boolean {
  return isPublicAddress(address) || new AddressRanges(alsoIn).has(address);
}
