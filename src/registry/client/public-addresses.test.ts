import { expect, test } from "bun:test";
import { isPermitted, isPublicAddress } from "./public-addresses.ts";

test.each([
  ["8.8.8.8", true],
  ["172.32.0.1", true],
  ["2606:4700::1111", true],
  ["127.0.0.1", false],
  ["0.0.0.0", false],
  ["10.1.2.3", false],
  ["172.16.0.1", false],
  ["192.168.1.1", false],
  ["169.254.169.254", false], // where clouds keep the credentials of their machines
  ["100.64.1.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["fe80::1", false],
  ["fd00::1", false],
  ["ff02::1", false],
  ["::ffff:10.0.0.1", false], // mapped
  ["::ffff:8.8.8.8", false],
  ["64:ff9b::a00:1", false], // NAT64 of 10.0.0.1
  ["2002:a00:1::", false], // 6to4 of it
  ["2001:0:a00:1::", false], // Teredo
  ["no address", false],
])("%s is public: %p", (address, wanted) => {
  expect(isPublicAddress(address)).toBe(wanted);
});

test("ranges permit what is not public", () => {
  const policy = { alsoIn: ["10.0.0.0/8", "fd00::/8"] };
  expect(["10.1.2.3", "fd00::1", "8.8.8.8"].map((address) => isPermitted(address, policy))).toEqual([
    true,
    true,
    true,
  ]);
  expect(isPermitted("192.168.1.1", policy)).toBe(false);
});
