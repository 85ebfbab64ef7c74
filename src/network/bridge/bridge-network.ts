import { messageOf, PlatformError } from "../../errors/platform-error.ts";
import { NETLINK_ROUTE, NetlinkSocket } from "../../kernel/netlink/netlink-socket.ts";
import type { Log } from "../../log/log.ts";
import { Pool } from "../../pool/pool.ts";
import type { ConnectRequest, Endpoint, PortBinding } from "../contract.ts";
import { Firewall } from "../firewall/firewall.ts";
import { AddressAllocator } from "../ipam/address-allocator.ts";
import type { NamespaceFiles } from "../netns/namespace-files.ts";
import { HostPorts } from "../ports/host-ports.ts";
import {
  type Bridge,
  type BridgeRequest,
  openBridge,
  removeBridge,
  waitForEmptyBridge,
} from "./open-bridge.ts";
import {
  dropEndpoint,
  type EndpointParts,
  makeEndpoint,
  type PreparedEndpoint,
} from "./prepared-endpoint.ts";

/** What the bridge gives to a container. */
export interface BridgeConnection extends PreparedEndpoint {
  readonly ports: readonly PortBinding[];
}

/** The bridge network while its engine runs: bridge, firewall table, host ports, prepared endpoints. */
export class BridgeNetwork {
  private readonly hostPorts = new HostPorts();
  private readonly connections = new Map<string, PreparedEndpoint>();

  private constructor(
    private readonly parts: EndpointParts,
    private readonly firewall: Firewall,
    private readonly pool: Pool<PreparedEndpoint>,
    private readonly log: Log,
  ) {}

  /** `live`: endpoints of running containers; everything else that an earlier run left is gone afterwards. */
  static async open(
    request: BridgeRequest,
    options: { namespaces: NamespaceFiles; poolSize: number; log: Log },
    live: ReadonlyMap<string, Endpoint>,
  ): Promise<BridgeNetwork> {
    using undo = new DisposableStack();
    const socket = undo.use(NetlinkSocket.open(NETLINK_ROUTE));
    const bridge = await openBridge(socket, request);
    const firewall = undo.use(new Firewall({ bridgeName: bridge.name, subnet: bridge.subnet }));
    const addresses = new AddressAllocator(bridge.subnet, bridge.gateway);
    const parts = { socket, namespaces: options.namespaces, addresses, bridge };
    const network = new BridgeNetwork(parts, firewall, endpointPool(parts, options), options.log);
    for (const [containerId, endpoint] of live) network.takeOver(containerId, endpoint);
    await firewall.open(live);
    undo.move();
    network.pool.scheduleRefill();
    return network;
  }

  get bridge(): Bridge {
    return this.parts.bridge;
  }

  /** Ports first: they fail most often. On failure everything is given back. */
  async connect(request: ConnectRequest, endpointId: string): Promise<BridgeConnection> {
    const { containerId } = request;
    const ports = this.reservePorts(request, endpointId);
    let endpoint: PreparedEndpoint | undefined;
    try {
      endpoint = await this.pool.take();
      await this.firewall.publish(containerId, { ipAddress: endpoint.ipAddress, ports });
      this.connections.set(containerId, endpoint);
      return { ...endpoint, ports };
    } catch (error) {
      this.hostPorts.release(containerId);
      if (endpoint) await dropEndpoint(this.parts, endpoint);
      throw error;
    }
  }

  private reservePorts(request: ConnectRequest, endpointId: string): PortBinding[] {
    try {
      return this.hostPorts.reserve(request.containerId, request.ports);
    } catch (error) {
      throw externalConnectivity(request, endpointId, error);
    }
  }

  /** Address and host ports of a container that runs already; its rules are the firewall's. */
  private takeOver(containerId: string, endpoint: Endpoint): void {
    const { netnsPath, ipAddress, macAddress, ports } = endpoint;
    if (!netnsPath || this.connections.has(containerId)) return;
    this.parts.addresses.reserve(ipAddress);
    this.connections.set(containerId, { netnsPath, ipAddress, macAddress });
    try {
      this.hostPorts.reserve(containerId, ports);
    } catch (error) {
      // The rules work without the reservation; only another program could listen there now, in vain.
      this.log.warn("network.port-not-held", { containerId, reason: messageOf(error) });
    }
  }

  async adopt(containerId: string, endpoint: Endpoint): Promise<void> {
    this.takeOver(containerId, endpoint);
    await this.firewall.publish(containerId, endpoint);
  }

  /**
   * When it resolves, ports and rules are free for others; `closing` settles when the namespace is closed too.
   * Undefined: the container is not connected here.
   */
  async disconnect(containerId: string): Promise<{ closing: Promise<void> } | undefined> {
    const endpoint = this.connections.get(containerId);
    if (!endpoint) return undefined;
    this.connections.delete(containerId);
    try {
      await this.firewall.withdraw(containerId);
    } finally {
      this.hostPorts.release(containerId);
    }
    return { closing: dropEndpoint(this.parts, endpoint) };
  }

  /** Bridge and table stay while a container uses them. `closing`: namespaces that are about to go. */
  async close(closing: Iterable<Promise<void>>): Promise<void> {
    await Promise.all([this.pool.close(), ...closing]);
    for (const containerId of this.connections.keys()) this.hostPorts.release(containerId);
    if (this.connections.size === 0) {
      await this.firewall.remove();
      await waitForEmptyBridge(this.parts.socket, this.bridge.index);
      await removeBridge(this.parts.socket, this.bridge.name);
    }
    this.firewall[Symbol.dispose]();
    this.parts.socket[Symbol.dispose]();
  }
}

function endpointPool(
  parts: EndpointParts,
  { poolSize, log }: { poolSize: number; log: Log },
): Pool<PreparedEndpoint> {
  return new Pool({
    size: poolSize,
    make: () => makeEndpoint(parts),
    drop: (endpoint) => dropEndpoint(parts, endpoint),
    failed: (error) => log.warn("network.pool-refill-failed", { reason: messageOf(error) }),
  });
}

/** Docker's words around what went wrong with a port. */
function externalConnectivity(request: ConnectRequest, endpointId: string, error: unknown): PlatformError {
  const name = request.containerName ?? request.containerId;
  const message = `driver failed programming external connectivity on endpoint ${name} (${endpointId}): ${messageOf(error)}`;
  if (!(error instanceof PlatformError)) return new PlatformError("System", message, { cause: error });
  const { kind, code, hint } = error;
  return new PlatformError(kind, message, { code, hint, cause: error });
}
