import { isIPv4 } from "node:net";
import { invalidParameter } from "../../errors/platform-error.ts";

/** Dotted address → unsigned 32-bit number. */
export function parseIPv4(text: string): number {
  if (!isIPv4(text)) throw invalidParameter(`invalid IPv4 address: ${text}`);
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIPv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}

/** The value of an address attribute, in network order; a missing one is 0.0.0.0. */
export function decodeIPv4(bytes: Uint8Array | undefined): string {
  if (bytes?.length !== 4) return "0.0.0.0";
  return formatIPv4(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0));
}

/** An IPv4 network: its first address and the length of its prefix. */
export interface Subnet {
  readonly address: number;
  readonly prefixLength: number;
}

/** `172.17.0.0/16`; bits below the prefix are an error. */
export function parseSubnet(text: string): Subnet {
  const { ip, subnet } = parseInterfaceAddress(text);
  if (subnet.address !== parseIPv4(ip)) throw invalidParameter(`invalid subnet: ${text}: host bits are set`);
  return subnet;
}

/** `172.17.0.1/16`: an address and the subnet it is in. */
export function parseInterfaceAddress(text: string): { ip: string; subnet: Subnet } {
  const [ip = "", length = ""] = text.split("/");
  const prefixLength = Number(length);
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32) throw invalidParameter(`invalid subnet: ${text}`);
  return { ip, subnet: { address: (parseIPv4(ip) & maskOf(prefixLength)) >>> 0, prefixLength } };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIPv4(subnet.address)}/${subnet.prefixLength}`;
}

/** `16` → `0xffff0000`. */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const mask = maskOf(Math.min(a.prefixLength, b.prefixLength));
  return (a.address & mask) === (b.address & mask);
}
