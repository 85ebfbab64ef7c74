import { describe, expect, test } from "bun:test";
import { formatTable } from "../../../src/kernel/nftables/format-table.ts";
import { Nftables } from "../../../src/kernel/nftables/nftables.ts";
import type { PortBinding } from "../../../src/network/contract.ts";
import { planElements, planFirewall } from "../../../src/network/firewall/plan-firewall.ts";
import { isRoot, run, uniqueName } from "./test-networks.ts";

const binding = (hostPort: number, hostIp: string): PortBinding => ({
  protocol: "tcp",
  containerPort: 80,
  hostIp,
  hostPort,
});

describe.skipIf(!isRoot)("the firewall table", () => {
  const bridgeName = uniqueName("gnt");
  const network = { bridgeName, subnet: "10.213.19.0/24" };
  const listed = async () => (await run(undefined, "nft", "list", "table", "ip", bridgeName)).stdout;

  test("is in the kernel what nft prints of the plan", async () => {
    using nftables = new Nftables();
    const table = planFirewall(network, [
      { ipAddress: "10.213.19.2", ports: [binding(8080, "0.0.0.0"), binding(8081, "127.0.0.1")] },
    ]);
    try {
      await nftables.applyTable(table);
      await nftables.applyTable(table); // replaces itself
      expect(await listed()).toBe(formatTable(table));
    } finally {
      await nftables.removeTable(bridgeName);
    }
    await nftables.removeTable(bridgeName); // a missing one is fine
    expect(await listed()).toBe("");
  });

  test("takes elements and gives them up, many at once", async () => {
    using nftables = new Nftables();
    const ports = Array.from({ length: 1200 }, (_, index) => binding(20_000 + index, "0.0.0.0"));
    const changes = planElements([{ ipAddress: "10.213.19.2", ports }]);
    try {
      await nftables.applyTable(planFirewall(network, []));
      await nftables.addElements(bridgeName, changes);
      expect((await listed()).match(/10\.213\.19\.2 \. 80/g)).toHaveLength(1200);
      const gone = ports.slice(0, 1);
      await nftables.removeElements(bridgeName, planElements([{ ipAddress: "10.213.19.2", ports: gone }]));
      await nftables.removeElements(bridgeName, changes); // one of them is missing
      expect(await listed()).not.toContain("elements");
    } finally {
      await nftables.removeTable(bridgeName);
    }
  });

  test("that is missing takes no element", async () => {
    using nftables = new Nftables();
    const changes = planElements([{ ipAddress: "10.213.19.2", ports: [binding(1, "0.0.0.0")] }]);
    await expect(nftables.addElements(bridgeName, changes)).rejects.toThrow(
      `publish ports in table ${bridgeName}: no such file or directory`,
    );
  });
});
