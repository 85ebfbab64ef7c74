import type { OciSpec } from "../../formats/oci-runtime.ts";

/** The container's state as hooks and seccomp agents get it. Spec: OCI Runtime Specification, "State". */
export interface PlannedState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running";
  /** 0: the helper puts the number in, which only it knows. */
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Pure. */
export const plannedState = (
  { ociVersion, annotations }: Pick<OciSpec, "ociVersion" | "annotations">,
  { containerId, bundle }: { readonly containerId: string; readonly bundle: string },
  status: PlannedState["status"],
  pid = 0,
): PlannedState => ({
  ociVersion,
  id: containerId,
  status,
  pid,
  bundle,
  ...(annotations !== undefined && { annotations }),
});
