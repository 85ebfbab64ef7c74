import { expect, test } from "bun:test";
import { parseBridgeAddress } from "./open-bridge.ts";

test.each([
  ["172.17.0.0/16", "172.17.0.0/16", "172.17.0.1"],
  ["172.17.0.1/16", "172.17.0.0/16", "172.17.0.1"],
  ["10.1.2.200/24", "10.1.2.0/24", "10.1.2.200"],
])("the bridge's address %s means subnet %s and gateway %s", (text, subnet, gateway) => {
  expect(parseBridgeAddress(text)).toMatchObject({ subnet, gateway });
});

test.each([
  ["10.1.2.255/24", "10.1.2.255/24 is the broadcast address of its subnet"],
  ["10.1.2.0/31", "subnet 10.1.2.0/31 is too small: a bridge needs a prefix of at most 30 bits"],
  ["10.1.2.0", "invalid subnet: 10.1.2.0"],
])("%s is refused", (text, message) => {
  expect(() => parseBridgeAddress(text)).toThrow(message);
});
