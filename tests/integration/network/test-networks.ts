import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../src/log/log.ts";
import type { Endpoint, Networks, PortRequest } from "../../../src/network/contract.ts";
import { createNetworks } from "../../../src/network/create-networks.ts";
import { waitFor } from "../../fixtures/wait-for.ts";

/** Real bridges, namespaces and tables need root. */
export const isRoot = process.getuid?.() === 0;

/** A name that no other test uses; an interface has at most 15 characters. */
export const uniqueName = (prefix: string): string => `${prefix}${randomBytes(3).toString("hex")}`;

/** The networks of one engine that does not exist, in directories and with a bridge of their own. */
export class TestNetworks implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "gantry-test-network-"));
  readonly bridgeName = uniqueName("gnt");
  readonly logged: string[] = [];
  readonly networks: Networks;

  private constructor(subnet: string | undefined, poolSize: number) {
    this.networks = createNetworks({
      root: join(this.directory, "root"),
      state: join(this.directory, "state"),
      log: createLog("info", (line) => this.logged.push(line)),
      bridgeName: this.bridgeName,
      subnet,
      poolSize,
    });
  }

  static async open(options: { subnet?: string; poolSize?: number } = {}): Promise<TestNetworks> {
    const test = new TestNetworks(options.subnet, options.poolSize ?? 1);
    await test.networks.open(new Map());
    return test;
  }

  private readonly containers = new Set<string>();

  connect(containerId: string, ports: PortRequest[] = [], network = "bridge"): Promise<Endpoint> {
    this.containers.add(containerId);
    return this.networks.connect({ containerId, containerName: `name-of-${containerId}`, network, ports });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const containerId of this.containers) await this.networks.disconnect(containerId);
    await this.networks.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const tcp = (hostPort: number, containerPort = 80, hostIp = "0.0.0.0"): PortRequest => ({
  protocol: "tcp",
  hostIp,
  hostPort,
  containerPort,
});

export const udp = (hostPort: number, containerPort: number): PortRequest => ({
  protocol: "udp",
  hostIp: "0.0.0.0",
  hostPort,
  containerPort,
});

/** Runs a program to its end, in the network namespace of `netnsPath` if given. */
export async function run(
  netnsPath: string | undefined,
  ...words: string[]
): Promise<{ exitCode: number; stdout: string }> {
  const child = Bun.spawn([...inside(netnsPath), ...words], { stdout: "pipe", stderr: "ignore" });
  const stdout = await new Response(child.stdout).text();
  return { exitCode: await child.exited, stdout };
}

const inside = (netnsPath: string | undefined): string[] =>
  netnsPath === undefined ? [] : ["nsenter", `--net=${netnsPath}`, "--"];

/** A server program in a namespace; it ends with its block. */
export class Server implements AsyncDisposable {
  private constructor(private readonly child: Bun.Subprocess) {}

  /** Resolves when the port is bound. */
  static async start(netnsPath: string, kind: "tcp" | "udp", port: number, program: string): Promise<Server> {
    const address = kind === "tcp" ? `TCP4-LISTEN:${port},fork,reuseaddr` : `UDP4-RECVFROM:${port},fork`;
    const child = Bun.spawn([...inside(netnsPath), "socat", address, program], {
      stdout: "ignore",
      stderr: "ignore",
      detached: true, // a group of its own, with all that it forks
    });
    const state = kind === "tcp" ? "-ltn" : "-lun";
    await waitFor(`a ${kind} server on port ${port}`, async () => {
      const { stdout } = await run(netnsPath, "busybox", "netstat", state);
      return stdout.includes(`:${port} `);
    });
    return new Server(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.kill(-this.child.pid, "SIGKILL");
    await this.child.exited;
  }
}

/** What a TCP server says until it closes, asked from the host or from a namespace; undefined: no connection. */
export async function ask(address: string, port: number, from?: string): Promise<string | undefined> {
  const { exitCode, stdout } = await run(
    from,
    "socat",
    "-t1",
    "-u",
    `TCP4:${address}:${port},connect-timeout=1`,
    "-",
  );
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** The answer of a UDP server to one datagram. */
export async function askUdp(address: string, port: number, text: string): Promise<string> {
  const child = Bun.spawn(["socat", "-t1", "-", `UDP4:${address}:${port}`], {
    stdin: new TextEncoder().encode(text),
    stdout: "pipe",
    stderr: "ignore",
  });
  return new Response(child.stdout).text();
}

/** What the kernel holds for networks: for comparison before and after. */
export async function inventory(): Promise<{ links: string[]; tables: string[]; mounts: string[] }> {
  const { stdout } = await run(undefined, "nft", "list", "tables");
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return {
    links: readdirSync("/sys/class/net").filter((name) => /^(gnt|gno)/.test(name) || isLostVeth(name)),
    tables: stdout.split("\n").filter((line) => /ip gnt/.test(line)),
    mounts: mounts.filter((line) => line.includes("gantry-test-network-")),
  };
}

/** One whose bridge is gone; engines beside the test have theirs in their bridges. */
const isLostVeth = (name: string): boolean =>
  name.startsWith("veth") && !existsSync(`/sys/class/net/${name}/master`);
