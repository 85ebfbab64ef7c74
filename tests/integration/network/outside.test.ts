import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addon } from "../../../src/kernel/addon.ts";
import { MNT_DETACH, unmount } from "../../../src/kernel/mounts.ts";
import { check } from "../../../src/kernel/syscall.ts";
import { ask, isRoot, run, Server, TestNetworks, tcp, uniqueName } from "./test-networks.ts";

/** Another machine beside the host: a namespace with a cable to it. */
const HOST_SIDE = "10.213.21.1";
const OUTSIDE = "10.213.21.2";

describe.skipIf(!isRoot)("a machine outside", () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
  const outside = join(directory, "outside");
  const cable = uniqueName("gno");
  let box: TestNetworks;

  beforeAll(async () => {
    box = await TestNetworks.open({ subnet: "10.213.20.0/24" });
    check(addon.makeNetns(outside), "make namespace");
    await run(undefined, "sh", "-ec", `ip link add ${cable} type veth peer name ${cable}p`);
    await run(undefined, "ip", "address", "add", `${HOST_SIDE}/30`, "dev", cable);
    await run(undefined, "ip", "link", "set", cable, "up");
    // ip(8) names namespaces by their file in /run/netns; a process inside serves as well.
    const guest = Bun.spawn(["nsenter", `--net=${outside}`, "--", "sleep", "60"]);
    await run(undefined, "ip", "link", "set", `${cable}p`, "netns", String(guest.pid));
    await run(outside, "ip", "address", "add", `${OUTSIDE}/30`, "dev", `${cable}p`);
    await run(outside, "ip", "link", "set", `${cable}p`, "up");
    await run(outside, "ip", "route", "add", "default", "via", HOST_SIDE);
    guest.kill("SIGKILL");
    await guest.exited;
  });
  afterAll(async () => {
    await run(undefined, "ip", "link", "delete", cable);
    unmount(outside, MNT_DETACH);
    rmSync(directory, { recursive: true });
    await box[Symbol.asyncDispose]();
  });

  test("sees a container under the host's address", async () => {
    const client = await box.connect("client");
    await using _server = await Server.start(outside, "tcp", 9000, "SYSTEM:echo $SOCAT_PEERADDR");
    expect(await ask(OUTSIDE, 9000, client.netnsPath)).toBe(HOST_SIDE);
    await box.networks.disconnect("client");
  });

  test("reaches published ports with its own address, and no others", async () => {
    const web = await box.connect("web", [tcp(0), tcp(0, 81, "127.0.0.1")]);
    const [open, closed] = web.ports.map((port) => port.hostPort);
    const server = "SYSTEM:echo $SOCAT_PEERADDR";
    await using _published = await Server.start(web.netnsPath ?? "", "tcp", 80, server);
    await using _onLoopback = await Server.start(web.netnsPath ?? "", "tcp", 81, server);
    expect(await ask(HOST_SIDE, open ?? 0, outside)).toBe(OUTSIDE);
    expect(await ask(HOST_SIDE, closed ?? 0, outside)).toBeUndefined();
    // A neighbour may route packets to the container's own address: the filter drops them.
    expect(await ask(web.ipAddress, 81, outside)).toBeUndefined();
    expect(await ask(web.ipAddress, 80, outside)).toBeUndefined();
    await box.networks.disconnect("web");
  });
});
