import { closeSync } from "node:fs";
import { isIPv4 } from "node:net";
import { conflict, notImplemented, PlatformError } from "../../errors/platform-error.ts";
import { bindInet } from "../../kernel/inet-sockets.ts";
import { readSysctl } from "../../kernel/sysctl.ts";
import type { PortBinding, PortRequest } from "../contract.ts";

const ANY_ADDRESS = "0.0.0.0";
/** The kernel's default of net.ipv4.ip_local_port_range. */
const DEFAULT_RANGE = { from: 32768, to: 60999 };

interface Held extends PortBinding {
  readonly owner: string;
  readonly fd: number;
}

/**
 * Host ports in use by containers. Each is held by a bound socket (TCP: listening), so that neither another
 * program nor another container gets it; packets reach the container by the firewall's maps, never that socket.
 */
export class HostPorts {
  private held: Held[] = [];
  /** Ephemeral ports are given out one after another, as Docker does. */
  private nextEphemeral = 0;

  constructor(private readonly bind: typeof bindInet = bindInet) {}

  /**
   * Reserves all requested ports for `owner`, or none.
   * Errors: Conflict, `Bind for 0.0.0.0:80 failed: port is already allocated` when a container has it,
   * `listen tcp4 0.0.0.0:80: bind: address already in use` when another program has it.
   */
  reserve(owner: string, requests: readonly PortRequest[]): PortBinding[] {
    const acquired: Held[] = [];
    try {
      for (const request of requests) {
        const held = this.acquire(owner, request);
        acquired.push(held);
        this.held.push(held);
      }
    } catch (error) {
      this.drop(acquired);
      throw error;
    }
    return acquired.map(({ protocol, containerPort, hostIp, hostPort }) => ({
      protocol,
      containerPort,
      hostIp,
      hostPort,
    }));
  }

  /** An unknown owner is fine. */
  release(owner: string): void {
    this.drop(this.held.filter((held) => held.owner === owner));
  }

  private drop(ports: readonly Held[]): void {
    for (const { fd } of ports) closeSync(fd);
    this.held = this.held.filter((held) => !ports.includes(held));
  }

  private acquire(owner: string, request: PortRequest): Held {
    if (!isIPv4(request.hostIp))
      throw notImplemented(
        `publish port on ${request.hostIp}: only IPv4 addresses of the host are supported`,
      );
    let failure: unknown;
    for (const hostPort of this.candidates(request.hostPort)) {
      try {
        return this.hold(owner, request, hostPort);
      } catch (error) {
        if (!isTaken(error)) throw error;
        failure = error;
      }
    }
    if (typeof request.hostPort === "number" && request.hostPort !== 0) throw failure;
    throw conflict("all ports are allocated", { code: "network.port-allocated", cause: failure });
  }

  private hold(owner: string, request: PortRequest, hostPort: number): Held {
    const { protocol, containerPort, hostIp } = request;
    if (this.held.some((held) => sameSocket(held, { protocol, hostIp, hostPort })))
      throw conflict(`Bind for ${hostIp}:${hostPort} failed: port is already allocated`, {
        code: "network.port-allocated",
        hint: "stop the container that publishes the port, or choose another host port",
      });
    const fd = this.bindOrExplain(protocol, hostIp, hostPort);
    return { owner, protocol, containerPort, hostIp, hostPort, fd };
  }

  private bindOrExplain(protocol: "tcp" | "udp", ip: string, port: number): number {
    try {
      return this.bind(protocol, { ip, port });
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "errno.EADDRINUSE") throw error;
      throw conflict(error.message, {
        code: "network.port-in-use",
        hint: `find the program with: ss -lnp 'sport = :${port}'`,
        cause: error,
      });
    }
  }

  private *candidates(wanted: PortRequest["hostPort"]): Generator<number> {
    if (wanted === 0) yield* this.ephemeral();
    else if (typeof wanted === "number") yield wanted;
    else for (let port = wanted.from; port <= wanted.to; port++) yield port;
  }

  private *ephemeral(): Generator<number> {
    const { from, to } = parsePortRange(readSysctl("net/ipv4/ip_local_port_range"));
    const size = to - from + 1;
    for (let attempt = 0; attempt < size; attempt++) yield from + (this.nextEphemeral++ % size);
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof PlatformError &&
  (error.code === "network.port-allocated" || error.code === "network.port-in-use");

type Socket = Pick<PortBinding, "protocol" | "hostIp" | "hostPort">;

/** All addresses and a single one exclude each other. */
function sameSocket(a: Socket, b: Socket): boolean {
  const sameAddress = a.hostIp === b.hostIp || a.hostIp === ANY_ADDRESS || b.hostIp === ANY_ADDRESS;
  return a.protocol === b.protocol && a.hostPort === b.hostPort && sameAddress;
}

/** `32768\t60999` */
export function parsePortRange(text: string | undefined): { from: number; to: number } {
  const [from, to] = (text ?? "").split(/\s+/).map(Number);
  return from && to && from <= to ? { from, to } : DEFAULT_RANGE;
}
