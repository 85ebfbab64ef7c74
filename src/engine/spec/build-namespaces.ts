import { notImplemented } from "../../errors/platform-error.ts";
import type { OciNamespace } from "../../formats/oci-runtime.ts";
import { containerOf } from "./check-modes.ts";
import type { OriginMap } from "./origins.ts";
import type { SpecInput } from "./spec-input.ts";

/**
 * Builds `linux.namespaces`: new ones of mount, pid, ipc, uts, network and cgroup, but for those which a mode shares with the host
 * or with another container, and for a network namespace that is prepared already.
 *
 * Errors: NotImplemented for a container's namespace that the caller did not resolve.
 */
export function buildNamespaces(input: SpecInput, origins: OriginMap): OciNamespace[] {
  const { hostConfig, joinedNamespaces = {}, netnsPath } = input;
  const { PidMode = "", IpcMode = "", UTSMode = "", NetworkMode = "", CgroupnsMode = "" } = hostConfig;
  const namespaces: OciNamespace[] = [];
  const add = (namespace: OciNamespace, words?: string) => {
    if (words !== undefined) origins.set(`/linux/namespaces/${namespaces.length}`, words);
    namespaces.push(namespace);
  };
  const choose = (type: OciNamespace["type"], mode: string, flag: string, joined: string | undefined) => {
    if (mode === "host") return;
    const container = containerOf(mode);
    if (container === undefined) return add({ type });
    if (joined === undefined)
      throw notImplemented(`${flag} ${mode}: joining another container's namespace is not supported yet`);
    add({ type, path: joined }, `${flag} ${mode}`);
  };
  add({ type: "mount" });
  choose("network", netnsPath === undefined ? NetworkMode : "", "--network", joinedNamespaces.network);
  const last = namespaces.at(-1);
  if (netnsPath !== undefined && last?.type === "network") {
    namespaces.pop();
    add({ type: "network", path: netnsPath }, `--network ${NetworkMode || "default"}`);
  }
  choose("uts", UTSMode, "--uts", undefined);
  choose("pid", PidMode, "--pid", joinedNamespaces.pid);
  choose("ipc", IpcMode, "--ipc", joinedNamespaces.ipc);
  choose("cgroup", CgroupnsMode, "--cgroupns", undefined);
  return namespaces;
}
