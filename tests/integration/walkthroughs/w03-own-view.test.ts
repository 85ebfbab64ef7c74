import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";

const machine = useMachine("w3", ["busybox"]);

describe.each(clients)("W3 a container has its own view, with %s", (client) => {
  test("its host name is its short id, or the one that was asked for", async () => {
    const { engine } = machine;
    const id = await engine.must(client, "run", "-d", "busybox", "sleep", "600");
    expect(await engine.must(client, "exec", id, "hostname")).toBe(id.slice(0, 12));
    await engine.must(client, "rm", "-f", id);
    expect(await engine.must(client, "run", "--rm", "--hostname", "web", "busybox", "hostname")).toBe("web");
    expect(hostname()).not.toBe("web");
  });

  test("it has eth0 with an address, a route to the bridge, and names in /etc/hosts", async () => {
    const { engine } = machine;
    const name = `view-${client}`;
    await engine.must(client, "run", "-d", "--name", name, "busybox", "sleep", "600");
    const networks = JSON.parse(
      await engine.must(client, "inspect", "-f", "{{json .NetworkSettings.Networks.bridge}}", name),
    );
    const address = await engine.must(client, "exec", name, "ip", "-4", "addr", "show", "dev", "eth0");
    expect(address).toContain(`${networks.IPAddress}/${networks.IPPrefixLen}`);
    expect(await engine.must(client, "exec", name, "ip", "route")).toContain(
      `default via ${networks.Gateway} dev eth0`,
    );
    expect(await engine.must(client, "exec", name, "cat", "/etc/hosts")).toMatch(
      new RegExp(`^${networks.IPAddress.replaceAll(".", "\\.")}\\s+[0-9a-f]{12}$`, "m"),
    );
    await engine.must(client, "exec", name, "ping", "-c", "1", "-W", "5", networks.Gateway);
    await engine.must(client, "rm", "-f", name);
  });

  test("on the host, the other end of its eth0 is a port of the bridge", async () => {
    const { engine } = machine;
    const id = await engine.must(client, "run", "-d", "busybox", "sleep", "600");
    const peer = await engine.must(client, "exec", id, "cat", "/sys/class/net/eth0/iflink");
    const ports = readdirSync(`/sys/class/net/${engine.bridge}/brif`);
    const indexes = ports.map((port) => readFileSync(`/sys/class/net/${port}/ifindex`, "utf8").trim());
    expect(indexes).toContain(peer);
    await engine.must(client, "rm", "-f", id);
  });

  test("two containers see nothing of each other but the network", async () => {
    const { engine } = machine;
    const [one, two] = [`one-${client}`, `two-${client}`];
    await engine.must(
      client,
      "run",
      "-d",
      "--name",
      one,
      "busybox",
      "sh",
      "-c",
      "echo secret > /dev/shm/f; echo x > /tmp/f; sleep 601",
    );
    await engine.must(client, "run", "-d", "--name", two, "busybox", "sleep", "602");
    expect(await engine.must(client, "exec", two, "ps")).not.toContain("sleep 601");
    expect(await engine.must(client, "exec", two, "ls", "/tmp", "/dev/shm")).not.toContain("f\n");
    const ipc = (name: string) => engine.must(client, "exec", name, "readlink", "/proc/self/ns/ipc");
    expect(await ipc(one)).not.toBe(await ipc(two));
    const address = await engine.must(
      client,
      "inspect",
      "-f",
      "{{.NetworkSettings.Networks.bridge.IPAddress}}",
      one,
    );
    await engine.must(client, "exec", two, "ping", "-c", "1", "-W", "5", address);
    await engine.must(client, "rm", "-f", one, two);
  });

  test("--network none has loopback alone, --network host has the host's links", async () => {
    const { engine } = machine;
    expect(
      await engine.must(client, "run", "--rm", "--network", "none", "busybox", "ls", "/sys/class/net"),
    ).toBe("lo");
    const host = await engine.must(
      client,
      "run",
      "--rm",
      "--network",
      "host",
      "busybox",
      "ls",
      "/sys/class/net",
    );
    expect(host.split("\n")).toContain(engine.bridge);
  });
});
