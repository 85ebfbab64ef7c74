import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../src/log/log.ts";
import type { Endpoint } from "../../../src/network/contract.ts";
import { createNetworks, type NetworksOptions } from "../../../src/network/create-networks.ts";
import { ask, inventory, isRoot, run, Server, tcp, uniqueName } from "./test-networks.ts";

type Options = Omit<NetworksOptions, "log">;

/** Connects two containers in a process of its own, which is killed without warning. */
async function crash(options: Options): Promise<[live: Endpoint, dead: Endpoint]> {
  const source = `
    const { createNetworks } = await import(${JSON.stringify(join(import.meta.dirname, "../../../src/network/create-networks.ts"))});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const networks = createNetworks({ ...${JSON.stringify(options)}, log });
    await networks.open(new Map());
    const connect = (containerId) =>
      networks.connect({ containerId, network: "bridge", ports: [${JSON.stringify(tcp(0))}] });
    console.log(JSON.stringify([await connect("live"), await connect("dead")]));
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  let line = "";
  while (!line.endsWith("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the engine's stand-in ended early");
    line += new TextDecoder().decode(value);
  }
  child.kill("SIGKILL");
  await child.exited;
  return JSON.parse(line);
}

describe.skipIf(!isRoot)("after a crash of the engine", () => {
  test("live endpoints go on, what dead ones left is removed", async () => {
    const before = await inventory();
    const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
    const options = {
      root: join(directory, "root"),
      state: join(directory, "state"),
      bridgeName: uniqueName("gnt"),
    };
    const [live, dead] = await crash(options);
    const livePort = live.ports[0]?.hostPort ?? 0;
    const deadPort = dead.ports[0]?.hostPort ?? 0;
    const networks = createNetworks({ ...options, log: createLog("error", () => {}) });
    {
      await using _server = await Server.start(live.netnsPath ?? "", "tcp", 80, "SYSTEM:echo alive");
      expect(await ask("127.0.0.1", livePort)).toBe("alive"); // while no engine runs

      await networks.open(new Map([["live", live]]));
      expect(networks.resolve("bridge").id).toBe(live.networkId);
      expect(await ask("127.0.0.1", livePort)).toBe("alive");
      expect(existsSync(dead.netnsPath ?? "")).toBe(false);
      const { stdout } = await run(undefined, "nft", "list", "table", "ip", options.bridgeName);
      expect(stdout).not.toContain(`. ${deadPort} `);

      const taken = networks.connect({ containerId: "new", network: "bridge", ports: [tcp(livePort)] });
      await expect(taken).rejects.toThrow("port is already allocated");
      const next = await networks.connect({ containerId: "new", network: "bridge", ports: [tcp(deadPort)] });
      expect(next.ipAddress).not.toBe(live.ipAddress);

      await networks.disconnect("new");
      await networks.disconnect("live");
    }
    await networks.close();
    rmSync(directory, { recursive: true });
    expect(await inventory()).toEqual(before);
  });

  test("close leaves a running container's network alone", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
    const options = {
      root: join(directory, "root"),
      state: join(directory, "state"),
      bridgeName: uniqueName("gnt"),
      log: createLog("error", () => {}),
    };
    const first = createNetworks(options);
    await first.open(new Map());
    const endpoint = await first.connect({ containerId: "c", network: "bridge", ports: [tcp(0)] });
    await first.close();
    const port = endpoint.ports[0]?.hostPort ?? 0;
    {
      await using _server = await Server.start(endpoint.netnsPath ?? "", "tcp", 80, "SYSTEM:echo alive");
      expect(await ask("127.0.0.1", port)).toBe("alive");
    }
    const second = createNetworks(options);
    await second.open(new Map([["c", endpoint]]));
    await second.disconnect("c");
    await second.close();
    rmSync(directory, { recursive: true });
  });
});
