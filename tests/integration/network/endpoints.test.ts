import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { waitFor } from "../../fixtures/wait-for.ts";
import { ask, isRoot, run, Server, TestNetworks } from "./test-networks.ts";

describe.skipIf(!isRoot)("a container's endpoint", () => {
  let box: TestNetworks;
  beforeAll(async () => {
    box = await TestNetworks.open({ subnet: "10.213.16.0/24" });
  });
  afterAll(() => box[Symbol.asyncDispose]());

  test("has address, MAC, default route and loopback", async () => {
    const endpoint = await box.connect("first");
    expect(endpoint).toMatchObject({
      networkName: "bridge",
      networkId: box.networks.resolve("bridge").id,
      interfaceName: "eth0",
      ipAddress: "10.213.16.2",
      macAddress: "02:42:0a:d5:10:02",
      prefixLength: 24,
      gateway: "10.213.16.1",
      ports: [],
    });
    const { stdout: addresses } = await run(endpoint.netnsPath, "ip", "-o", "address");
    expect(addresses).toContain("inet 10.213.16.2/24 brd 10.213.16.255 scope global eth0");
    expect(addresses).toContain("inet 127.0.0.1/8");
    expect(addresses).not.toContain("inet6 fe80");
    const { stdout: routes } = await run(endpoint.netnsPath, "ip", "route");
    expect(routes).toContain("default via 10.213.16.1 dev eth0");
    const ping = await run(endpoint.netnsPath, "busybox", "ping", "-c1", "-W2", "10.213.16.1");
    expect(ping.exitCode).toBe(0);
    await box.networks.disconnect("first");
  });

  test("reaches its neighbours", async () => {
    const server = await box.connect("server");
    const client = await box.connect("client");
    await using _server = await Server.start(
      server.netnsPath ?? "",
      "tcp",
      80,
      "SYSTEM:echo $SOCAT_PEERADDR",
    );
    expect(await ask(server.ipAddress, 80, client.netnsPath)).toBe(client.ipAddress);
    await box.networks.disconnect("server");
    await box.networks.disconnect("client");
  });

  test("gets the next address, not one that was just freed", async () => {
    const freed = await box.connect("freed");
    await box.networks.disconnect("freed");
    const next = await box.connect("next");
    expect(next.ipAddress).not.toBe(freed.ipAddress);
    await box.networks.disconnect("next");
  });

  test("is gone after disconnect; a second one is fine", async () => {
    const { netnsPath = "" } = await box.connect("gone");
    await box.networks.disconnect("gone");
    await box.networks.disconnect("gone");
    await box.networks.disconnect("never was");
    await waitFor("the namespace's file to go", () => !existsSync(netnsPath));
  });

  test("on `none` has loopback only", async () => {
    const endpoint = await box.connect("isolated", [], "none");
    expect(endpoint).toMatchObject({ networkName: "none", ipAddress: "", interfaceName: "", ports: [] });
    const { stdout } = await run(endpoint.netnsPath, "ip", "-o", "link");
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stdout).toContain("lo: <LOOPBACK,UP,LOWER_UP>");
    await box.networks.disconnect("isolated");
  });

  test("on `host` has no namespace of its own", async () => {
    const endpoint = await box.connect("hostly", [], "host");
    expect(endpoint.netnsPath).toBeUndefined();
    await box.networks.disconnect("hostly");
  });

  test("needs a network that exists", async () => {
    await expect(box.connect("x", [], "nope")).rejects.toThrow("network nope not found");
  });
});

describe.skipIf(!isRoot)("a small subnet", () => {
  test("ends with an error, and leaves nothing of the failed endpoint", async () => {
    await using box = await TestNetworks.open({ subnet: "10.213.17.0/30", poolSize: 0 });
    const only = await box.connect("only");
    await expect(box.connect("second", [])).rejects.toThrow(
      "no available IPv4 addresses in subnet 10.213.17.0/30",
    );
    await box.networks.disconnect("only");
    const again = await box.connect("third");
    expect(again.ipAddress).toBe(only.ipAddress);
    expect(existsSync(again.netnsPath ?? "")).toBe(true);
    await box.networks.disconnect("third");
  });
});
