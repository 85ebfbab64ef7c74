import { unavailable } from "../../errors/platform-error.ts";
import { formatSubnet, overlaps, parseSubnet, type Subnet } from "../../kernel/netlink/ipv4.ts";

/** Docker's own order: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 to 192.168.240.0/20. */
function* candidates(): Generator<Subnet> {
  for (let second = 17; second <= 31; second++) yield parseSubnet(`172.${second}.0.0/16`);
  for (let third = 0; third <= 240; third += 16) yield parseSubnet(`192.168.${third}.0/20`);
}

/**
 * The first subnet that overlaps with none of the host's; pure.
 * `taken` are its addresses and routes; the default route (length 0) is not in anybody's way.
 */
export function chooseSubnet(taken: readonly Subnet[]): string {
  const inTheWay = taken.filter((subnet) => subnet.prefixLength > 0);
  for (const candidate of candidates())
    if (!inTheWay.some((subnet) => overlaps(subnet, candidate))) return formatSubnet(candidate);
  throw unavailable("no free subnet for the bridge: the host's routes cover all of them", {
    code: "network.no-subnet",
    hint: "name one with --bip",
  });
}
