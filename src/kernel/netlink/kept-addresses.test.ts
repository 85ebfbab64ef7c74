import { expect, test } from "bun:test";
import { attribute, concat } from "./attributes.ts";
import { addKeptAddressMessage, keptAddress } from "./kept-addresses.ts";

const ip = Uint8Array.of(10, 1, 2, 3);
/** As the kernel lists it: family, prefix length, flags, scope, index; address, label, cache info, flags. */
function listed({ flags = 0x80, scope = 0, index = 7 }): Uint8Array {
  const header = Uint8Array.of(2, 24, flags & 0xff, scope, index, 0, 0, 0);
  const label = attribute.string(3, "eth0");
  return concat([header, attribute.bytes(1, ip), attribute.bytes(2, ip), label, attribute.u32(8, flags)]);
}

test("a permanent address of global scope moves, without the name of its link", () => {
  const kept = keptAddress(listed({ flags: 0x280 }), 7);
  expect(kept).toEqual({
    family: 2,
    prefixLength: 24,
    flags: 0x200,
    attributes: [
      [1, ip],
      [2, ip],
    ],
  });
  if (kept === undefined) throw new Error("no address");
  const { body } = addKeptAddressMessage(9, kept);
  expect([...body.subarray(0, 8)]).toEqual([2, 24, 0, 0, 9, 0, 0, 0]);
});

test.each([
  ["of another link", { index: 8 }],
  ["of the link itself (scope link)", { scope: 253 }],
  ["that was leased", { flags: 0 }],
])("an address %s stays behind", (_, parts) => {
  expect(keptAddress(listed(parts), 7)).toBeUndefined();
});
