import { expect, test } from "bun:test";
import { formatIPv4, formatSubnet, maskOf, overlaps, parseIPv4, parseSubnet } from "./ipv4.ts";

test("addresses are read and written", () => {
  expect(parseIPv4("255.254.1.0")).toBe(0xfffe0100);
  expect(formatIPv4(0xfffe0100)).toBe("255.254.1.0");
  expect(formatSubnet(parseSubnet("172.17.0.0/16"))).toBe("172.17.0.0/16");
});

test.each([
  ["256.1.1.1", "invalid IPv4 address: 256.1.1.1"],
  ["1.2.3", "invalid IPv4 address: 1.2.3"],
  ["::1", "invalid IPv4 address: ::1"],
])("%s is refused", (text, message) => {
  expect(() => parseIPv4(text)).toThrow(message);
});

test.each([
  ["10.0.0.0", "invalid subnet: 10.0.0.0"],
  ["10.0.0.0/33", "invalid subnet: 10.0.0.0/33"],
  ["10.0.0.1/24", "invalid subnet: 10.0.0.1/24: host bits are set"],
])("subnet %s is refused", (text, message) => {
  expect(() => parseSubnet(text)).toThrow(message);
});

test("masks of all lengths", () => {
  expect([maskOf(0), maskOf(1), maskOf(24), maskOf(32)]).toEqual([0, 0x80000000, 0xffffff00, 0xffffffff]);
});

test.each([
  ["172.17.0.0/16", "172.17.5.0/24", true],
  ["172.17.5.0/24", "172.16.0.0/12", true],
  ["172.17.0.0/16", "172.18.0.0/16", false],
  ["192.168.0.0/20", "192.168.16.0/20", false],
])("%s and %s overlap: %p", (a, b, wanted) => {
  expect(overlaps(parseSubnet(a), parseSubnet(b))).toBe(wanted);
});
