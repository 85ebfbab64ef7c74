/** A published port, after the host port was chosen. */
export interface PortBinding {
  readonly protocol: "tcp" | "udp";
  readonly containerPort: number;
  /** `0.0.0.0` for all addresses. */
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface PortRequest {
  readonly protocol: "tcp" | "udp";
  readonly containerPort: number;
  readonly hostIp: string;
  /** 0: any free one of the ephemeral range. An inclusive range picks its first free port. */
  readonly hostPort: number | { readonly from: number; readonly to: number };
}

/** A container's place in a network: what `inspect` shows in NetworkSettings. */
export interface Endpoint {
  readonly networkId: string;
  readonly networkName: string;
  readonly endpointId: string;
  /** Host path of the namespace (a bind mount below `--state`), or undefined for `host`. */
  readonly netnsPath: string | undefined;
  /** This and the addresses are empty (0) for `host` and `none`. */
  readonly interfaceName: string;
  readonly macAddress: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly ports: readonly PortBinding[];
}

export interface NetworkInfo {
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  readonly createdAt: string;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly bridgeName?: string;
}

export interface ConnectRequest {
  readonly containerId: string;
  /** Named by errors; the id where it is missing. */
  readonly containerName?: string;
  readonly network: string;
  readonly ports: readonly PortRequest[];
}

/** The three networks that exist always. More of them come with their own issue. */
export interface Networks {
  list(): NetworkInfo[];
  /** By name, id or id prefix; `default` is `bridge`. NotFound: `network NAME not found`. */
  resolve(name: string): NetworkInfo;
  /**
   * Gives a container its namespace, address and published ports; on failure nothing is left.
   * `none`: a namespace with loopback only; `host`: no namespace, and no published ports.
   * Errors: Conflict naming the port when it is taken; Unavailable when the subnet is full.
   */
  connect(request: ConnectRequest): Promise<Endpoint>;
  /** After a restart of the engine: takes a live container's endpoint over as it was saved. */
  adopt(containerId: string, endpoint: Endpoint): Promise<void>;
  /** Releases address, ports, rules and namespace; an unknown container is fine. */
  disconnect(containerId: string): Promise<void>;
  /** Makes bridge, rules and the pool of prepared namespaces; removes what crashed engines left. */
  open(liveContainers: ReadonlyMap<string, Endpoint>): Promise<void>;
  /** Leaves running containers' networks alone; drops the unused pool, and the bridge when nobody uses it. */
  close(): Promise<void>;
}
