import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { messageOf, notFound, unavailable } from "../errors/platform-error.ts";
import type { Log } from "../log/log.ts";
import { Pool } from "../pool/pool.ts";
import { BridgeNetwork } from "./bridge/bridge-network.ts";
import { parseBridgeAddress } from "./bridge/open-bridge.ts";
import { INTERFACE_NAME } from "./bridge/prepared-endpoint.ts";
import type { ConnectRequest, Endpoint, NetworkInfo, Networks } from "./contract.ts";
import { NamespaceFiles } from "./netns/namespace-files.ts";
import { NetworkRecords } from "./records/network-records.ts";

export interface NetworksOptions {
  /** `--root`: networks/NAME.json keeps ids and choices. */
  readonly root: string;
  /** `--state`: netns/ holds the namespaces' files. */
  readonly state: string;
  readonly log: Log;
  /** Also the name of the firewall table. Default: gantry0, or the next one that is free. */
  readonly bridgeName?: string | undefined;
  /**
   * A subnet `172.17.0.0/16`, or the bridge's address in it `172.17.0.1/16`. Default: the first that does not collide
   * with the host's routes.
   */
  readonly subnet?: string | undefined;
  /** Endpoints prepared in advance. Default 4. */
  readonly poolSize?: number | undefined;
}

const withoutAddress = {
  interfaceName: "",
  macAddress: "",
  ipAddress: "",
  prefixLength: 0,
  gateway: "",
  ports: [],
} as const;

export function createNetworks(options: NetworksOptions): Networks {
  if (options.subnet !== undefined) parseBridgeAddress(options.subnet);
  return new DefaultNetworks(options);
}

/** The networks `bridge`, `host` and `none`. */
class DefaultNetworks implements Networks {
  private readonly records: NetworkRecords;
  private readonly namespaces: NamespaceFiles;
  /** Namespaces with loopback only. */
  private readonly isolated: Pool<string>;
  /** Containers on `none`, with their namespaces. */
  private readonly isolatedContainers = new Map<string, string>();
  /** Namespaces that are being closed after their container's answer. */
  private readonly closing = new Set<Promise<void>>();
  private bridge: BridgeNetwork | undefined;

  constructor(private readonly options: NetworksOptions) {
    this.records = new NetworkRecords(join(options.root, "networks"));
    this.namespaces = new NamespaceFiles(join(options.state, "netns"));
    this.isolated = new Pool({
      size: Math.min(options.poolSize ?? 4, 1),
      make: () => this.namespaces.create(),
      drop: (path) => this.namespaces.remove(path),
      failed: (error) => options.log.warn("network.pool-refill-failed", { reason: messageOf(error) }),
    });
  }

  list(): NetworkInfo[] {
    return this.records.list();
  }

  resolve(name: string): NetworkInfo {
    const wanted = name === "default" ? "bridge" : name;
    const all = this.list();
    const exact = all.find((network) => network.name === wanted || network.id === wanted);
    const byPrefix = wanted === "" ? [] : all.filter((network) => network.id.startsWith(wanted));
    const found = exact ?? (byPrefix.length === 1 ? byPrefix[0] : undefined);
    if (!found) throw notFound(`network ${name} not found`);
    return found;
  }

  async open(liveContainers: ReadonlyMap<string, Endpoint>): Promise<void> {
    await this.removeStaleNamespaces(liveContainers);
    const record = this.records.get("bridge");
    const onBridge = [...liveContainers].filter(([, endpoint]) => endpoint.ipAddress !== "");
    const request = {
      networkId: record.id,
      root: resolve(this.options.root),
      wantedName: this.options.bridgeName,
      wantedAddress: this.options.subnet,
      previousName: record.bridgeName,
      previousAddress: addressOf(record),
    };
    const { log, poolSize = 4 } = this.options;
    const open = { namespaces: this.namespaces, poolSize, log };
    this.bridge = await BridgeNetwork.open(request, open, new Map(onBridge));
    this.remember(record, this.bridge);
    for (const [containerId, endpoint] of liveContainers) this.takeOverIsolated(containerId, endpoint);
    this.isolated.scheduleRefill();
  }

  private async removeStaleNamespaces(live: ReadonlyMap<string, Endpoint>): Promise<void> {
    const used = new Set([...live.values()].map((endpoint) => endpoint.netnsPath));
    const stale = this.namespaces.list().filter((path) => !used.has(path));
    await Promise.all(stale.map((path) => this.namespaces.remove(path)));
    if (stale.length > 0) this.options.log.info("network.stale-namespaces-removed", { count: stale.length });
  }

  private remember(record: NetworkInfo, { bridge }: BridgeNetwork): void {
    const { name: bridgeName, subnet, gateway } = bridge;
    if (record.bridgeName === bridgeName && record.subnet === subnet && record.gateway === gateway) return;
    this.records.save({ ...record, bridgeName, subnet, gateway });
  }

  async connect(request: ConnectRequest): Promise<Endpoint> {
    const { id: networkId, name: networkName, driver } = this.resolve(request.network);
    const endpointId = randomBytes(32).toString("hex");
    const place = { networkId, networkName, endpointId };
    switch (driver) {
      case "host":
        return { ...place, ...withoutAddress, netnsPath: undefined };
      case "null": {
        const netnsPath = await this.isolated.take();
        this.isolatedContainers.set(request.containerId, netnsPath);
        return { ...place, ...withoutAddress, netnsPath };
      }
      case "bridge": {
        const network = this.openBridge();
        const connection = await network.connect(request, endpointId);
        const { gateway, subnet } = network.bridge;
        const prefixLength = Number(subnet.split("/")[1]);
        return { ...place, ...connection, interfaceName: INTERFACE_NAME, prefixLength, gateway };
      }
    }
  }

  private openBridge(): BridgeNetwork {
    if (!this.bridge) throw unavailable("network bridge is not open");
    return this.bridge;
  }

  async adopt(containerId: string, endpoint: Endpoint): Promise<void> {
    if (endpoint.ipAddress === "") this.takeOverIsolated(containerId, endpoint);
    else await this.openBridge().adopt(containerId, endpoint);
  }

  private takeOverIsolated(containerId: string, endpoint: Endpoint): void {
    if (endpoint.ipAddress === "" && endpoint.netnsPath)
      this.isolatedContainers.set(containerId, endpoint.netnsPath);
  }

  async disconnect(containerId: string): Promise<void> {
    const released = await this.bridge?.disconnect(containerId);
    if (released) this.afterwards(released.closing);
    const isolated = this.isolatedContainers.get(containerId);
    if (isolated === undefined) return;
    this.isolatedContainers.delete(containerId);
    this.afterwards(this.namespaces.remove(isolated));
  }

  /** Nobody waits for a namespace to close; `close` does, at the end. */
  private afterwards(work: Promise<void>): void {
    const settled = work
      .catch((error) => this.options.log.warn("network.namespace-not-closed", { reason: messageOf(error) }))
      .finally(() => this.closing.delete(settled));
    this.closing.add(settled);
  }

  async close(): Promise<void> {
    await this.isolated.close();
    await this.bridge?.close(this.closing);
    await Promise.all(this.closing);
    this.bridge = undefined;
    await this.namespaces.removeDirectory();
  }
}

/** The bridge's address that an earlier run chose. */
function addressOf({ subnet, gateway }: NetworkInfo): string | undefined {
  return subnet && gateway ? `${gateway}/${subnet.split("/")[1]}` : undefined;
}
