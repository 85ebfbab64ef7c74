import type { OciLinux, OciNamespace, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import type { NamespaceType } from "../../kernel/steps.ts";
import type { UnitPlace } from "../systemd/unit-place.ts";
import type { PlanOptions } from "./plan-options.ts";
import type { ReasonOf } from "./step-list.ts";

/** What every part of the planning looks at. */
export interface PlanContext {
  readonly spec: OciSpec;
  readonly linux: OciLinux;
  readonly host: HostFacts;
  readonly options: PlanOptions;
  readonly reasonOf: ReasonOf;
  readonly namespaces: ContainerNamespaces;
  /** Absolute host path of the container's own directory below a cgroup mount, without that mount. */
  readonly cgroupPath: string;
  /** The unit that this directory belongs to: it is there then. */
  readonly unit?: UnitPlace | undefined;
}

/** The container's namespaces by type; an absent type is shared with the caller. */
export type ContainerNamespaces = ReadonlyMap<NamespaceType, OciNamespace>;

/** A new one, not one that is joined. */
export const isNew = (namespaces: ContainerNamespaces, type: NamespaceType): boolean => {
  const namespace = namespaces.get(type);
  return namespace !== undefined && namespace.path === undefined;
};

/** No mknod and no writes to what the host's root owns. */
export const inUserNamespace = ({ namespaces, host }: PlanContext): boolean =>
  namespaces.has("user") || host.inUserNamespace;
