import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../src/log/log.ts";
import { createNetworks } from "../../../src/network/create-networks.ts";
import { ask, inventory, isRoot, run, Server, TestNetworks, tcp, uniqueName } from "./test-networks.ts";

describe.skipIf(!isRoot)("engines on one machine", () => {
  test("do not disturb each other", async () => {
    const before = await inventory();
    {
      await using one = await TestNetworks.open();
      const web = await one.connect("web", [tcp(0)]);
      const port = web.ports[0]?.hostPort ?? 0;
      await using _server = await Server.start(web.netnsPath ?? "", "tcp", 80, "SYSTEM:echo one");
      {
        await using two = await TestNetworks.open();
        expect(two.networks.resolve("bridge").subnet).not.toBe(one.networks.resolve("bridge").subnet);
        expect(two.networks.resolve("bridge").id).not.toBe(one.networks.resolve("bridge").id);
        const other = await two.connect("web");
        expect(await ask(web.ipAddress, 80, other.netnsPath)).toBeUndefined();
        expect(await ask(web.gateway, port, other.netnsPath)).toBe("one");
        await expect(two.connect("thief", [tcp(port)])).rejects.toThrow("address already in use");
        await two.networks.disconnect("web");
      }
      expect(await ask("127.0.0.1", port)).toBe("one");
      await one.networks.disconnect("web");
    }
    expect(await inventory()).toEqual(before);
  });

  test("choose bridges of their own when none is named", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
    const open = async (name: string) => {
      const networks = createNetworks({
        root: join(directory, name, "root"),
        state: join(directory, name, "state"),
        log: createLog("error", () => {}),
        poolSize: 0,
      });
      await networks.open(new Map());
      return networks;
    };
    const one = await open("one");
    const two = await open("two");
    const names = [one, two].map((networks) => networks.resolve("bridge").bridgeName);
    expect(names[0]).toMatch(/^gantry\d+$/);
    expect(names[1]).toMatch(/^gantry\d+$/);
    expect(names[0]).not.toBe(names[1]);
    await two.close();
    await one.close();
    rmSync(directory, { recursive: true });
  });

  test("refuse a named bridge that belongs to another one", async () => {
    await using box = await TestNetworks.open();
    const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
    const thief = createNetworks({
      root: join(directory, "root"),
      state: join(directory, "state"),
      log: createLog("error", () => {}),
      bridgeName: box.bridgeName,
    });
    await expect(thief.open(new Map())).rejects.toThrow(
      `bridge ${box.bridgeName}: the name is used by somebody else`,
    );
    rmSync(directory, { recursive: true });
  });

  test("take over the bridge of one that is gone with its data", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
    const bridgeName = uniqueName("gnt");
    const open = async (name: string) => {
      const networks = createNetworks({
        root: join(directory, name, "root"),
        state: join(directory, name, "state"),
        log: createLog("error", () => {}),
        bridgeName,
        poolSize: 0,
      });
      await networks.open(new Map());
      return networks;
    };
    await open("gone"); // never closed
    rmSync(join(directory, "gone"), { recursive: true });
    const heir = await open("heir");
    const { netnsPath = "", gateway } = await heir.connect({
      containerId: "c",
      network: "bridge",
      ports: [],
    });
    const ping = await run(netnsPath, "busybox", "ping", "-c1", "-W2", gateway);
    expect(ping.exitCode).toBe(0);
    await heir.disconnect("c");
    await heir.close();
    rmSync(directory, { recursive: true });
  });
});
