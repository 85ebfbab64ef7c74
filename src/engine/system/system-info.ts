import { readFileSync } from "node:fs";
import { availableParallelism, hostname, machine, release, totalmem } from "node:os";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { maskedProxy } from "../../registry/client/proxy-settings.ts";
import type { RegistrySettings } from "../../registry/client/registry-settings.ts";
import { formatTimeNs, nowNs } from "../clock.ts";
import type { Container } from "../containers/container.ts";
import { cgroupAbilities } from "./cgroup-abilities.ts";
import { registryConfig } from "./registry-config.ts";
import { version } from "./version.ts";

export interface SystemInfoSources {
  readonly host: HostFacts;
  readonly containers: readonly Container[];
  readonly imageCount: number;
  readonly storage: Pick<Snapshotter, "name" | "status">;
  readonly rootDirectory: string;
  readonly eventListeners: number;
  /** Stays the same over restarts. */
  readonly engineId: string;
  readonly registries: RegistrySettings;
  readonly debug: boolean;
}

/** The answer of `info`. engine-api.yaml, SystemInfo. */
export function systemInfo(sources: SystemInfoSources): object {
  const count = (status: string): number => sources.containers.filter((one) => one.status === status).length;
  const running = count("running");
  const paused = count("paused");
  const os = operatingSystem();
  const { registries } = sources;
  return {
    ID: sources.engineId,
    Containers: sources.containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: sources.containers.length - running - paused,
    Images: sources.imageCount,
    Driver: sources.storage.name,
    DriverStatus: sources.storage.status ?? null,
    Plugins: {
      Volume: [],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["json-file", "none"],
    },
    ...cgroupAbilities(sources.host.cgroup),
    IPv4Forwarding: readFile("/proc/sys/net/ipv4/ip_forward").trim() === "1",
    Debug: sources.debug,
    NFd: 0,
    OomKillDisable: false,
    NGoroutines: 0,
    SystemTime: formatTimeNs(nowNs()),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: String(sources.host.cgroup.version || 1),
    NEventsListener: sources.eventListeners,
    KernelVersion: release(),
    OperatingSystem: os.name,
    OSVersion: os.version,
    OSType: "linux",
    Architecture: machine(),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(registries),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: sources.rootDirectory,
    HttpProxy: maskedProxy(registries.proxies.httpProxy),
    HttpsProxy: maskedProxy(registries.proxies.httpsProxy),
    NoProxy: registries.proxies.noProxy,
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: { gantry: { path: "gantry-runtime" } },
    DefaultRuntime: "gantry",
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "gantry-helper",
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: "" },
    InitCommit: { ID: "" },
    SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
    CDISpecDirs: [],
    Warnings: null,
  };
}

function operatingSystem(): { name: string; version: string } {
  const text = readFile("/etc/os-release");
  const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { name: value("PRETTY_NAME") || "Linux", version: value("VERSION_ID") };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
