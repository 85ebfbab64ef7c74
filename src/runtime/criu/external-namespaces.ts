import { notImplemented } from "../../errors/platform-error.ts";
import type { OciSpec } from "../../formats/oci-runtime.ts";

/** A namespace that a container joined. */
export interface JoinedNamespace {
  /** criu's word for it. */
  readonly type: "net" | "pid" | "ipc" | "uts" | "time" | "user";
  readonly path: string;
  /** Its name in the images, for kinds that criu can leave out; the others it saves, and joins again. */
  readonly key: string | undefined;
}

const names = { network: "net", pid: "pid", ipc: "ipc", uts: "uts", time: "time", user: "user" } as const;

/**
 * Pure.
 * Errors: NotImplemented for kinds that criu cannot join.
 */
export function joinedNamespaces(spec: OciSpec): JoinedNamespace[] {
  return (spec.linux?.namespaces ?? []).flatMap(({ type, path }) => {
    if (path === undefined) return [];
    if (type === "cgroup" || type === "mount")
      throw notImplemented(`linux.namespaces: criu cannot join the ${type} namespace ${path}`);
    const key = type === "network" ? "extRootNetNS" : type === "pid" ? "extRootPidNS" : undefined;
    return [{ type: names[type], path, key }];
  });
}
