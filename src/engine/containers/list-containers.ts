import { invalidParameter } from "../../errors/platform-error.ts";
import {
  allMatch,
  anyMatches,
  booleanFilter,
  checkFilterKeys,
  type Filters,
  hasLabel,
  matchesPattern,
} from "../filters.ts";
import { mergeImageConfig } from "../spec/merge-image-config.ts";
import type { Container } from "./container.ts";

const keys = [
  "ancestor",
  "before",
  "since",
  "exited",
  "expose",
  "publish",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "status",
  "volume",
];
const statuses = ["created", "restarting", "running", "removing", "paused", "exited", "dead"];
const healths = ["starting", "healthy", "unhealthy", "none"];

export interface ListQuery {
  readonly all: boolean;
  /** The last so many, in any state. */
  readonly limit: number | undefined;
  readonly filters: Filters;
}

export interface ListSources {
  readonly find: (reference: string) => Container | undefined;
  /** Ids of the images that `ancestor` names: the image itself and those made from it. */
  readonly imageIds: (reference: string) => readonly string[];
}

/** The containers that `ps` shows, newest first. Errors: InvalidParameter for an unknown filter or value. */
export function listContainers(
  containers: readonly Container[],
  query: ListQuery,
  sources: ListSources,
): Container[] {
  const { filters } = query;
  checkFilterKeys(filters, keys);
  checkValues(filters, "status", statuses);
  checkValues(filters, "health", healths);
  const exitCodes = (filters.get("exited") ?? []).map(exitCode);
  const before = boundary(filters, "before", sources);
  const since = boundary(filters, "since", sources);
  const isTask = booleanFilter(filters, "is-task");
  const ancestors = new Set((filters.get("ancestor") ?? []).flatMap((image) => sources.imageIds(image)));
  const showsAll =
    query.all ||
    query.limit !== undefined ||
    before !== undefined ||
    since !== undefined ||
    filters.has("status") ||
    exitCodes.length > 0;

  const accepts = (container: Container): boolean => {
    const { record } = container;
    const config = mergeImageConfig(record.config, record.imageConfig);
    return (
      (showsAll || container.isLive) &&
      isTask !== true &&
      anyMatches(filters, "id", (id) => matchesPattern(record.id, `^${id}`)) &&
      anyMatches(filters, "name", (name) => matchesName(record.name, name)) &&
      anyMatches(filters, "status", (status) => status === container.status) &&
      anyMatches(filters, "health", (health) => health === "none") &&
      anyMatches(filters, "isolation", (isolation) => isolation === "" || isolation === "default") &&
      allMatch(filters, "label", (label) => hasLabel(config.Labels ?? {}, label)) &&
      anyMatches(filters, "network", (network) => isOnNetwork(container, network)) &&
      anyMatches(filters, "volume", (volume) => hasMount(container, volume)) &&
      anyMatches(filters, "expose", (port) => Object.keys(config.ExposedPorts ?? {}).some(isPort(port))) &&
      anyMatches(filters, "publish", (port) => publishedPorts(container).some(isPort(port))) &&
      (!filters.has("ancestor") || ancestors.has(record.imageId)) &&
      (exitCodes.length === 0 || hasExitedWith(container, exitCodes)) &&
      (before === undefined || record.createdAt < before.record.createdAt) &&
      (since === undefined || record.createdAt > since.record.createdAt)
    );
  };
  const found = containers.filter(accepts).sort(newestFirst);
  return query.limit === undefined ? found : found.slice(0, query.limit);
}

const newestFirst = (a: Container, b: Container): number =>
  a.record.createdAt < b.record.createdAt ? 1 : a.record.createdAt > b.record.createdAt ? -1 : 0;

function checkValues(filters: Filters, key: string, known: readonly string[]): void {
  for (const value of filters.get(key) ?? []) {
    if (!known.includes(value)) throw invalidParameter(`invalid filter '${key}=${value}'`);
  }
}

function exitCode(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw invalidParameter(`invalid filter 'exited=[${text}]'`);
}

function boundary(filters: Filters, key: "before" | "since", sources: ListSources): Container | undefined {
  const reference = filters.get(key)?.[0];
  if (reference === undefined) return undefined;
  const found = sources.find(reference);
  if (!found) throw invalidParameter(`invalid filter '${key}=${reference}': no such container`);
  return found;
}

/** With and without the leading slash that Docker's names have. */
const matchesName = (name: string, pattern: string): boolean =>
  matchesPattern(name, pattern) || matchesPattern(`/${name}`, pattern);

const hasExitedWith = (container: Container, codes: readonly number[]): boolean =>
  container.status === "exited" && codes.includes(container.record.state.exitCode);

function isOnNetwork(container: Container, network: string): boolean {
  const { endpoint, hostConfig } = container.record;
  if (endpoint) return endpoint.networkName === network || endpoint.networkId.startsWith(network);
  const mode = hostConfig.NetworkMode || "default";
  return (mode === "default" ? "bridge" : mode) === network;
}

function hasMount(container: Container, volume: string): boolean {
  return container.record.mounts.some((mount) => mount.Destination === volume || mount.Source === volume);
}

const publishedPorts = (container: Container): string[] =>
  Object.entries(container.record.hostConfig.PortBindings ?? {}).map(([port]) => port);

/** `80`, `80/tcp` or `80-90/udp` against a key like `80/tcp`. */
function isPort(wanted: string): (port: string) => boolean {
  const parts = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(wanted);
  if (!parts) throw invalidParameter(`invalid filter: ${JSON.stringify(wanted)} is no port`);
  const from = Number(parts[1]);
  const to = Number(parts[2] ?? parts[1]);
  const protocol = parts[3] ?? "tcp";
  return (port) => {
    const [number, portProtocol = "tcp"] = port.split("/");
    return portProtocol === protocol && Number(number) >= from && Number(number) <= to;
  };
}
