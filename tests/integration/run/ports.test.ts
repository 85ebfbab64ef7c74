import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { clients } from "../../fixtures/engine.ts";
import { useMachine } from "../../fixtures/machine.ts";
import { compileProgram } from "../../fixtures/programs/compile.ts";
import { freePort } from "../../fixtures/registry.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

const machine = useMachine("ports", ["busybox"]);

const server = "mkdir /www; echo page > /www/index.html; exec httpd -f -p 80 -h /www";

/** An IPv4 address of this machine other than loopback, if it has one. */
const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((it) => it !== undefined && it.family === "IPv4" && !it.internal)?.address;

async function page(host: string, port: number): Promise<string | undefined> {
  return fetch(`http://${host}:${port}/`, { keepalive: false, signal: AbortSignal.timeout(2000) }).then(
    (response) => response.text(),
    () => undefined,
  );
}

describe.each(clients)("published ports, with %s", (client) => {
  const must = (...args: string[]) => machine.engine.must(client, ...args);

  test("TCP is reached by loopback and by the host's own address, and not after the end", async () => {
    const port = await freePort();
    const id = await must("run", "-d", "-p", `${port}:80`, "busybox", "sh", "-c", server);
    expect(await waitFor("the page", () => page("127.0.0.1", port))).toBe("page\n");
    if (ownAddress !== undefined) expect(await page(ownAddress, port)).toBe("page\n");
    expect(await must("ps", "--format", "{{.Ports}}")).toContain(`0.0.0.0:${port}->80/tcp`);
    await must("rm", "-f", id);
    expect(await page("127.0.0.1", port)).toBeUndefined();
  });

  test("port lists them, or those of one port", async () => {
    const [tcp, udp] = [await freePort(), await freePort()];
    const published = ["-p", `${tcp}:80`, "-p", `127.0.0.1:${udp}:80/udp`];
    const id = await must("run", "-d", ...published, "busybox", "sleep", "600");
    expect(await must("port", id)).toBe(`80/tcp -> 0.0.0.0:${tcp}\n80/udp -> 127.0.0.1:${udp}`);
    expect(await must("port", id, "80")).toBe(`0.0.0.0:${tcp}`);
    expect(await must("container", "port", id, "80/udp")).toBe(`127.0.0.1:${udp}`);
    const { exitCode, stderr } = await machine.engine[client](["port", id, "81"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`No public port '81' published for ${id}`);
    await must("rm", "-f", id);
  });

  test("one container reaches another's published port by the gateway", async () => {
    const port = await freePort();
    const id = await must("run", "-d", "-p", `${port}:80`, "busybox", "sh", "-c", server);
    await waitFor("the page", () => page("127.0.0.1", port));
    const gateway = await must("inspect", "-f", "{{.NetworkSettings.Networks.bridge.Gateway}}", id);
    expect(await must("run", "--rm", "busybox", "wget", "-qO-", `http://${gateway}:${port}/`)).toBe("page");
    await must("rm", "-f", id);
  });

  test("UDP is passed both ways", async () => {
    const port = await freePort();
    const echo = ["-v", `${await compileProgram("udp-echo")}:/udp-echo:ro`, "busybox", "/udp-echo", "53"];
    const id = await must("run", "-d", "-p", `127.0.0.1:${port}:53/udp`, ...echo);
    let answer = "";
    const socket = await Bun.udpSocket({
      socket: {
        data: (_socket, data) => {
          answer = data.toString();
        },
        error: () => {}, // refused, as long as nobody listens
      },
    });
    await waitFor("the echo", () => {
      if (answer === "") socket.send("ping", port, "127.0.0.1");
      return answer === "ping";
    });
    socket.close();
    await must("rm", "-f", id);
  });
});
