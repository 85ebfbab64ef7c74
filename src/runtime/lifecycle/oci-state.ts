import type { ContainerState } from "./container-state.ts";
import type { ContainerStatus } from "./container-status.ts";

/** OCI Runtime Specification, "State", with the fields that runc adds. */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when there is none. */
  readonly pid: number;
  readonly status: ContainerStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

/** Pure. `owner` is the name of the user who made it. */
export function ociState(state: ContainerState, status: ContainerStatus, owner: string): OciState {
  const { ociVersion, id, bundle, rootfs, created, annotations } = state;
  return {
    ociVersion,
    id,
    pid: status === "stopped" ? 0 : (state.init?.pid ?? 0),
    status,
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length > 0 && { annotations }),
    owner,
  };
}

/** What a hook gets to know of its container. */
export interface HookState {
  /** Directory of the bundle, in which it runs. */
  readonly bundle: string;
  /** What it reads on its standard input: the state of the specification. */
  readonly json: string;
}

/** Pure. */
export function hookState(state: ContainerState, status: "running" | "stopped"): HookState {
  const { ociVersion, id, bundle, annotations } = state;
  const json = JSON.stringify({
    ociVersion,
    id,
    status,
    ...(status === "running" && { pid: state.init?.pid ?? 0 }),
    bundle,
    ...(Object.keys(annotations).length > 0 && { annotations }),
  });
  return { bundle, json };
}
