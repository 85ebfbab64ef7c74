import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isRoot } from "./test-networks.ts";

/**
 * Runs in a network namespace of its own: a policy that drops forwarded packets would stop all other tests.
 * Prints the chain while a network is open, and after it was closed.
 */
const script = `
  const { createNetworks } = await import(${JSON.stringify(join(import.meta.dirname, "../../../src/network/create-networks.ts"))});
  const { mkdtempSync, rmSync } = await import("node:fs");
  const directory = mkdtempSync("/tmp/gantry-test-network-");
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const options = { root: directory + "/root", state: directory + "/state", bridgeName: "gntforeign", poolSize: 0, log };
  const nft = (...words) => Bun.spawnSync(["nft", ...words]).stdout.toString();
  nft("add table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; tcp dport 1 drop; }; }");
  const networks = createNetworks(options);
  await networks.open(new Map());
  const again = createNetworks(options); // a restart, without a close before it
  await again.open(new Map());
  const open = nft("list", "chain", "ip", "filter", "FORWARD");
  await again.close();
  const closed = nft("list", "chain", "ip", "filter", "FORWARD");
  rmSync(directory, { recursive: true });
  console.log(JSON.stringify({ open, closed }));
  process.exit(0);`;

describe.skipIf(!isRoot)("another program's firewall", () => {
  test("that drops forwarded packets gets our rules at its head, once, and loses them again", async () => {
    const child = Bun.spawn(["unshare", "--net", process.execPath, "-e", script], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const { open, closed } = JSON.parse(await new Response(child.stdout).text());
    const rules = (text: string) =>
      text
        .split("\n")
        .flatMap((line) => (line.includes("accept") || line.includes("dport") ? [line.trim()] : []));
    expect(rules(open)).toEqual([
      'iifname "gntforeign" accept comment "gantry: containers of gntforeign"',
      'oifname "gntforeign" accept comment "gantry: containers of gntforeign"',
      "tcp dport 1 drop",
    ]);
    expect(rules(closed)).toEqual(["tcp dport 1 drop"]);
  });
});
