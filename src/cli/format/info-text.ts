import { humanBinarySize } from "./human.ts";

/** What `info` shows of `GET /info`. */
export interface EngineInfo {
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly ServerVersion: string;
  readonly Driver: string;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
  readonly LoggingDriver?: string;
  readonly CgroupDriver?: string;
  readonly CgroupVersion?: string;
  readonly Plugins?: Readonly<Record<string, readonly string[] | null>> | null;
  readonly SecurityOptions?: readonly string[] | null;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Name: string;
  readonly ID: string;
  readonly DockerRootDir: string;
  readonly Debug: boolean;
  readonly ExperimentalBuild?: boolean;
  readonly HttpProxy?: string;
  readonly HttpsProxy?: string;
  readonly NoProxy?: string;
  readonly RegistryConfig?: {
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly IndexConfigs?: Readonly<Record<string, IndexConfig>> | null;
  } | null;
  readonly LiveRestoreEnabled?: boolean;
  readonly Warnings?: readonly string[] | null;
}

interface IndexConfig {
  readonly Name: string;
  readonly Mirrors?: readonly string[] | null;
  readonly Secure: boolean;
  readonly Official: boolean;
}

/** Lines in Docker's order and wording, which people grep for; what the engine left out is left out. */
export function infoText(info: EngineInfo, clientVersion: string): string {
  const rows: Row[] = [
    [1, "Containers", info.Containers],
    [2, "Running", info.ContainersRunning],
    [2, "Paused", info.ContainersPaused],
    [2, "Stopped", info.ContainersStopped],
    [1, "Images", info.Images],
    [1, "Server Version", info.ServerVersion],
    [1, "Storage Driver", info.Driver],
    ...(info.DriverStatus ?? []).map(([name, value]) => [2, name, value] as const),
    [1, "Logging Driver", info.LoggingDriver],
    [1, "Cgroup Driver", info.CgroupDriver],
    [1, "Cgroup Version", info.CgroupVersion],
    ...pluginRows(info),
    ...securityRows(info),
    [1, "Kernel Version", info.KernelVersion],
    [1, "Operating System", info.OperatingSystem],
    [1, "OSType", info.OSType],
    [1, "Architecture", info.Architecture],
    [1, "CPUs", info.NCPU],
    [1, "Total Memory", humanBinarySize(info.MemTotal)],
    [1, "Name", info.Name],
    [1, "ID", info.ID],
    [1, "Docker Root Dir", info.DockerRootDir],
    [1, "Debug Mode", info.Debug],
    [1, "HTTP Proxy", info.HttpProxy],
    [1, "HTTPS Proxy", info.HttpsProxy],
    [1, "No Proxy", info.NoProxy],
    [1, "Experimental", info.ExperimentalBuild],
    ...insecureRows(info),
    ...mirrorRows(info),
    [1, "Live Restore Enabled", info.LiveRestoreEnabled],
  ];
  const server = rows.filter(([, , value]) => value !== undefined && value !== "").map(rowText);
  return `Client:\n Version:    ${clientVersion}\n\nServer:\n${server.join("")}\n`;
}

function rowText([indent, name, value]: Row): string {
  return `${" ".repeat(indent)}${name}${value === null ? "" : `: ${value}`}\n`;
}

/** Null: a line of its own without a value; undefined and empty: the engine does not say. */
type Row = readonly [indent: number, name: string, value: unknown];

function pluginRows({ Plugins }: EngineInfo): Row[] {
  const kinds = Object.entries(Plugins ?? {}).filter(([, names]) => names !== null && names.length > 0);
  if (kinds.length === 0) return [];
  return [
    [1, "Plugins:", null],
    ...kinds.map(([kind, names]) => [2, kind, (names ?? []).join(" ")] as const),
  ];
}

function securityRows({ SecurityOptions }: EngineInfo): Row[] {
  const options = SecurityOptions ?? [];
  if (options.length === 0) return [];
  return [
    [1, "Security Options:", null],
    ...options.flatMap((option): Row[] => {
      const fields = option.split(",").map((field) => field.split("=") as [string, string | undefined]);
      const name = fields.find(([key]) => key === "name")?.[1] ?? option;
      const rest = fields.filter(([key]) => key !== "name");
      return [
        [2, name, null],
        ...rest.map(([key, value]) => [3, key === "profile" ? "Profile" : key, value] as const),
      ];
    }),
  ];
}

function insecureRows({ RegistryConfig }: EngineInfo): Row[] {
  const hosts = Object.values(RegistryConfig?.IndexConfigs ?? {}).filter(({ Secure }) => !Secure);
  const shown = [...hosts.map(({ Name }) => Name), ...(RegistryConfig?.InsecureRegistryCIDRs ?? [])];
  return shown.length === 0 ? [] : [[1, "Insecure Registries:", null], ...shown.map(listed)];
}

/** Docker's engine has mirrors of its Hub alone; those of others say whose they are. */
function mirrorRows({ RegistryConfig }: EngineInfo): Row[] {
  const shown = Object.values(RegistryConfig?.IndexConfigs ?? {}).flatMap(({ Name, Mirrors, Official }) =>
    (Mirrors ?? []).map((url) => (Official ? url : `${url} (of ${Name})`)),
  );
  return shown.length === 0 ? [] : [[1, "Registry Mirrors:", null], ...shown.map(listed)];
}

const listed = (text: string): Row => [2, text, null];
