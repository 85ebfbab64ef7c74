import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { bindInet } from "../../../src/kernel/inet-sockets.ts";
import { waitFor } from "../../fixtures/wait-for.ts";
import { ask, askUdp, isRoot, run, Server, TestNetworks, tcp, udp } from "./test-networks.ts";

const HELLO = "SYSTEM:echo hello";

describe.skipIf(!isRoot)("published ports", () => {
  let box: TestNetworks;
  beforeAll(async () => {
    box = await TestNetworks.open({ subnet: "10.213.18.0/24" });
  });
  afterAll(() => box[Symbol.asyncDispose]());

  test("are reached from loopback, the host's address, neighbours and the container itself", async () => {
    const web = await box.connect("web", [tcp(0)]);
    const client = await box.connect("client");
    const port = web.ports[0]?.hostPort ?? 0;
    await using _server = await Server.start(web.netnsPath ?? "", "tcp", 80, HELLO);
    expect(await ask("127.0.0.1", port)).toBe("hello");
    expect(await ask(web.gateway, port)).toBe("hello");
    expect(await ask(web.gateway, port, client.netnsPath)).toBe("hello");
    expect(await ask(web.gateway, port, web.netnsPath)).toBe("hello");
    await box.networks.disconnect("web");
    expect(await ask("127.0.0.1", port)).toBeUndefined();
    await box.networks.disconnect("client");
  });

  test("on one address are reached there only", async () => {
    const web = await box.connect("web", [tcp(0, 80, "127.0.0.1")]);
    const port = web.ports[0]?.hostPort ?? 0;
    await using _server = await Server.start(web.netnsPath ?? "", "tcp", 80, HELLO);
    expect(await ask("127.0.0.1", port)).toBe("hello");
    expect(await ask(web.gateway, port)).toBeUndefined();
    await box.networks.disconnect("web");
  });

  test("carry UDP", async () => {
    const names = await box.connect("names", [udp(0, 5300)]);
    const port = names.ports[0]?.hostPort ?? 0;
    await using _server = await Server.start(names.netnsPath ?? "", "udp", 5300, "SYSTEM:cat");
    expect(await askUdp("127.0.0.1", port, "question")).toBe("question");
    expect(await askUdp(names.gateway, port, "question")).toBe("question");
    await box.networks.disconnect("names");
  });

  test("take over a UDP client that was sending before", async () => {
    const probe = await box.connect("probe", [udp(0, 5300)]);
    const port = probe.ports[0]?.hostPort ?? 0;
    await box.networks.disconnect("probe");
    const answers: string[] = [];
    const client = await Bun.udpSocket({
      socket: {
        data: (_socket, data) => void answers.push(data.toString()),
        error: () => {}, // refused while no container is there
      },
    });
    const ask = () => client.send("question", port, "127.0.0.1");
    ask(); // the kernel tracks this flow as one to the host itself
    for (const name of ["first", "second"]) {
      const { netnsPath = "" } = await box.connect(name, [udp(port, 5300)]);
      await using _server = await Server.start(netnsPath, "udp", 5300, `SYSTEM:echo ${name}`);
      await waitFor(`an answer of the ${name} container`, () => ask() && answers.includes(`${name}\n`));
      await box.networks.disconnect(name);
    }
    client.close();
  });

  test("that another container has are refused in Docker's words, and nothing is left", async () => {
    const first = await box.connect("first", [tcp(0)]);
    const port = first.ports[0]?.hostPort ?? 0;
    const failure = await box.connect("second", [tcp(0, 81), tcp(port)]).catch((error: unknown) => error);
    expect(String(failure)).toMatch(
      new RegExp(
        `driver failed programming external connectivity on endpoint name-of-second \\([0-9a-f]{64}\\): ` +
          `Bind for 0.0.0.0:${port} failed: port is already allocated$`,
      ),
    );
    await box.networks.disconnect("first");
    const second = await box.connect("second", [tcp(port)]);
    expect(second.ports[0]?.hostPort).toBe(port);
    await box.networks.disconnect("second");
  });

  test("that another program has are refused in Docker's words", async () => {
    const probe = await box.connect("probe", [tcp(0)]);
    await box.networks.disconnect("probe");
    const port = probe.ports[0]?.hostPort ?? 0;
    const holder = bindInet("tcp", { ip: "127.0.0.1", port });
    await expect(box.connect("web", [tcp(port)])).rejects.toThrow(
      `: listen tcp4 0.0.0.0:${port}: bind: address already in use`,
    );
    closeSync(holder);
  });

  test("work again after somebody flushed the rules", async () => {
    await run(undefined, "nft", "delete", "table", "ip", box.bridgeName);
    const web = await box.connect("web", [tcp(0)]);
    await using _server = await Server.start(web.netnsPath ?? "", "tcp", 80, HELLO);
    expect(await ask("127.0.0.1", web.ports[0]?.hostPort ?? 0)).toBe("hello");
    await run(undefined, "nft", "delete", "table", "ip", box.bridgeName);
    await box.networks.disconnect("web");
  });
});
