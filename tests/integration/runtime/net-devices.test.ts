import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { runtimeMissing, TestRuntime } from "../../fixtures/bundle.ts";
import { command, mustRun } from "../../fixtures/command.ts";

const reason = runtimeMissing() ?? (Bun.which("ip") === null ? "needs iproute2" : undefined);
/** Ends of a veth: one that containers get, and its peer, which stays. */
const device = `gt${process.pid}`;
const peer = `${device}p`;

describe.skipIf(reason !== undefined)(`linux.netDevices${reason ? ` (${reason})` : ""}`, () => {
  let runtime: TestRuntime;
  beforeAll(async () => {
    runtime = await TestRuntime.open();
  });
  beforeEach(async () => {
    await mustRun(["ip", "link", "add", device, "mtu", "1400", "type", "veth", "peer", "name", peer]);
    for (const words of [
      ["addr", "add", "10.198.7.2/24", "brd", "+", "dev", device],
      ["-6", "addr", "add", "fd77:7::2/64", "dev", device, "nodad"],
      ["link", "set", device, "up"],
      ["link", "set", peer, "up"],
    ])
      await mustRun(["ip", ...words]);
  });
  afterEach(async () => {
    await command(["ip", "link", "del", peer]);
    expect(runtime.leftovers()).toEqual([]);
  });
  afterAll(() => runtime[Symbol.asyncDispose]());

  const bundle = (args: string[], netDevices: Record<string, { name?: string }>) =>
    runtime.bundle(args, (spec) => {
      spec.linux.netDevices = netDevices;
      spec.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", seen] }] };
    });
  /** A hook that looks for the device where hooks may use it. */
  const seen = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); nsenter --net=/proc/$pid/ns/net ip link > /dev/null`;

  test.each([
    ["under its own name", {}, device],
    ["under another name", { name: "lan0" }, "lan0"],
  ])("a device is the container's %s, up, with its addresses and attributes", async (_, wish, name) => {
    const look = `ip addr show dev ${name}; ip link | grep -c '^[0-9]'`;
    const output = await runtime.must(
      "run",
      "--bundle",
      bundle(["sh", "-c", look], { [device]: wish }),
      "box",
    );
    expect(output).toContain("mtu 1400");
    expect(output).toMatch(/<[^>]*\bUP\b[^>]*>/);
    expect(output).toContain("inet 10.198.7.2/24 brd 10.198.7.255 scope global");
    expect(output).toContain("inet6 fd77:7::2/64 scope global");
    expect(output).toEndWith("\n2\n");
    expect((await command(["ip", "link", "show", device])).exitCode).not.toBe(0);
  });

  test("create takes it, and a container without it is not made", async () => {
    await runtime.must("create", "--bundle", bundle(["sleep", "1000"], { [device]: {} }), "box");
    const second = await runtime.run(["create", "--bundle", bundle(["true"], { [device]: {} }), "other"]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`move network device ${device} into the container`);
    expect(second.stderr).toContain("no such device");
    await runtime.must("start", "box");
    expect(await runtime.must("exec", "box", "ip", "addr", "show", "dev", device)).toContain("10.198.7.2/24");
    await runtime.must("delete", "--force", "box");
  });

  test("a name that is taken in the container leaves the device where it was", async () => {
    const result = await runtime.run([
      "run",
      "--bundle",
      bundle(["true"], { [device]: { name: "lo" } }),
      "box",
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("lo is the name of another one there");
    const { stdout } = await command(["ip", "addr", "show", "dev", device]);
    expect(stdout).toContain("10.198.7.2/24");
    expect(stdout).toMatch(/<[^>]*\bUP\b[^>]*>/);
  });

  test("loopback cannot be moved", async () => {
    const result = await runtime.run(["run", "--bundle", bundle(["true"], { lo: { name: "host" } }), "box"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("invalid argument") });
  });

  test("without a network namespace it is refused", async () => {
    const shared = runtime.bundle(["true"], (spec) => {
      spec.linux.netDevices = { [device]: {} };
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
      spec.mounts = (spec.mounts as { type?: string }[]).filter(({ type }) => type !== "sysfs");
    });
    const result = await runtime.run(["run", "--bundle", shared, "box"]);
    expect(result.stderr).toContain(`linux.netDevices.${device}: needs a network namespace`);
  });
});
