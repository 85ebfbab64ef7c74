import { describe, expect, test } from "bun:test";
import { parseSubnet } from "../../kernel/netlink/ipv4.ts";
import { AddressAllocator, macOf } from "./address-allocator.ts";
import { chooseSubnet } from "./choose-subnet.ts";

const take = (allocator: AddressAllocator, count: number) =>
  Array.from({ length: count }, () => allocator.allocate());

describe("addresses", () => {
  test("begin after the gateway", () => {
    const allocator = new AddressAllocator("172.17.0.0/16");
    expect(allocator.gateway).toBe("172.17.0.1");
    expect(take(allocator, 2)).toEqual(["172.17.0.2", "172.17.0.3"]);
  });

  test("that were freed come back last", () => {
    const allocator = new AddressAllocator("10.0.0.0/29");
    expect(take(allocator, 3)).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    allocator.release("10.0.0.2");
    allocator.release("10.0.0.2");
    expect(take(allocator, 3)).toEqual(["10.0.0.5", "10.0.0.6", "10.0.0.2"]);
  });

  test("end with an error that names the subnet", () => {
    const allocator = new AddressAllocator("10.0.0.0/30");
    expect(allocator.allocate()).toBe("10.0.0.2");
    expect(() => allocator.allocate()).toThrow("no available IPv4 addresses in subnet 10.0.0.0/30");
  });

  test("of running containers are not given again, nor is the gateway's", () => {
    const allocator = new AddressAllocator("10.0.0.0/29");
    allocator.reserve("10.0.0.3");
    allocator.reserve("192.0.2.1");
    allocator.release("10.0.0.1");
    expect(take(allocator, 4)).toEqual(["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"]);
  });

  test("begin after a gateway in the middle, and come round", () => {
    const allocator = new AddressAllocator("10.0.0.0/29", "10.0.0.5");
    expect(allocator.gateway).toBe("10.0.0.5");
    expect(take(allocator, 3)).toEqual(["10.0.0.6", "10.0.0.1", "10.0.0.2"]);
  });

  test("cross the limits of bytes", () => {
    const allocator = new AddressAllocator("172.17.0.0/16");
    allocator.reserve("172.17.0.255");
    expect(allocator.allocate()).toBe("172.17.1.0");
  });
});

test("a MAC address is made of the IP address", () => {
  expect(macOf("172.17.0.2")).toBe("02:42:ac:11:00:02");
});

describe("the subnet", () => {
  const among = (...taken: string[]) => chooseSubnet(taken.map(parseSubnet));

  test.each([
    ["a host without routes", [], "172.17.0.0/16"],
    ["a default route only", ["0.0.0.0/0"], "172.17.0.0/16"],
    ["an address inside", ["172.17.4.5/32"], "172.18.0.0/16"],
    ["all of 172.16.0.0/12", ["172.16.0.0/12"], "192.168.0.0/20"],
    ["a home network too", ["172.16.0.0/12", "192.168.1.0/24"], "192.168.16.0/20"],
  ])("beside %s", (_name, taken, wanted) => {
    expect(among(...taken)).toBe(wanted);
  });

  test("is refused when everything is taken", () => {
    expect(() => among("172.16.0.0/12", "192.168.0.0/16")).toThrow("no free subnet");
  });
});
