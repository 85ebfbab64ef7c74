import type { TargetKind } from "../../kernel/steps.ts";
import type { SystemdFacts } from "../../kernel/systemd/service-manager.ts";

/** From a JSON pointer of the spec (`/linux/resources/memory/limit`) to the user's words (`--memory 256m`, `default`). */
export type Origins = ReadonlyMap<string, string>;

/** What a plan needs beside the spec and the host. All paths are absolute. */
export interface PlanOptions {
  readonly containerId: string;
  /** Of the bundle; `root.path` and the sources of binds may be relative to it. */
  readonly bundle: string;
  readonly origins?: Origins;
  /**
   * What the sources of binds are, by absolute host path. One that is not in it counts as a directory.
   */
  readonly sourceKinds?: ReadonlyMap<string, TargetKind>;
  /** chroot with MS_MOVE where pivot_root is impossible (a root on initramfs). */
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** The service manager that makes the container's cgroup; without one, the plan has steps for it. */
  readonly systemd?: SystemdFacts | undefined;
  /** Host paths of newuidmap(1) and newgidmap(1), where the caller may not write the maps itself. */
  readonly idMapTools?: { readonly uid?: string; readonly gid?: string };
  /** Program and first words that move a network device: `planNetDevices`. */
  readonly deviceMover?: readonly [program: string, ...words: string[]];
  /** Descriptors from 3 on that stay open at exec. */
  readonly preserveFds?: number;
}
