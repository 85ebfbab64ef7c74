import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Endpoint } from "../../network/contract.ts";
import { hostsFile, hostsFileOfHost } from "../../network/hosts-file/hosts-file.ts";
import { hostResolvConfPath, resolvConf } from "../../network/hosts-file/resolv-conf.ts";
import type { ContainerRecord } from "./container-record.ts";
import { hostnameOf } from "./hostname.ts";

/** Host paths of the files that a container gets instead of its image's. */
export interface RunFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export const runFilePaths = (directory: string): RunFiles => ({
  hosts: join(directory, "hosts"),
  hostname: join(directory, "hostname"),
  resolvConf: join(directory, "resolv.conf"),
});

/**
 * Writes /etc/hosts, /etc/hostname and /etc/resolv.conf of a run below the container's directory.
 * Rewritten in place: another run may have an older one mounted.
 */
export function writeRunFiles(record: ContainerRecord, endpoint: Endpoint, directory: string): RunFiles {
  const { hostConfig } = record;
  const paths = runFilePaths(directory);
  const onHost = endpoint.netnsPath === undefined;
  const hostGateway = endpoint.gateway === "" ? {} : { hostGateway: endpoint.gateway };
  const extraHosts = hostConfig.ExtraHosts ?? [];
  const domainname = record.config.Domainname ? { domainname: record.config.Domainname } : {};
  const hosts = onHost
    ? hostsFileOfHost(readIfPresent("/etc/hosts"), { extraHosts, ...hostGateway })
    : hostsFile({
        ipAddress: endpoint.ipAddress || undefined,
        hostname: hostnameOf(record),
        ...domainname,
        extraHosts,
        ...hostGateway,
      });
  writeFileSync(paths.hosts, hosts, { mode: 0o644 });
  writeFileSync(paths.hostname, `${hostnameOf(record)}\n`, { mode: 0o644 });
  const resolver = resolvConf({
    hostFile: readIfPresent(hostResolvConfPath(readIfPresent("/etc/resolv.conf"))),
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
    hostNetwork: onHost,
  });
  writeFileSync(paths.resolvConf, resolver, { mode: 0o644 });
  return paths;
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
