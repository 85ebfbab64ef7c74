/**
 * The kernel steps of which a container consists: gantry's central data structure.
 *
 * A plan is an ordered list of them, made by pure functions in `runtime/`. `encode-plan.ts` turns the steps
 * of the helper's phases into the binary form that `gantry-helper` interprets (docs/helper-protocol.md);
 * `execute-host-steps.ts` carries out those of the phase `host`. `gantry explain` prints all of them.
 *
 * Paths named `target` or `path` of the phases `setup` and `start` are paths *inside the container*; the helper
 * resolves them beneath the open root with openat2 and RESOLVE_IN_ROOT. Paths named `source` are host paths.
 */

import type { ServiceManager, UnitProperty } from "./systemd/service-manager.ts";

/**
 * When a step runs, and where:
 * - `host`:  in the planner's own process, before the helper exists (cgroup files, device filter);
 * - `clone`: in the helper, before and around clone3 (namespaces to join, namespaces to make, id maps);
 * - `setup`: in the container's first process, before create returns (mounts, devices, pivot_root, sysctl);
 * - `start`: in the same process after start (hooks, user, capabilities, filter, exec).
 */
export type Phase = "host" | "clone" | "setup" | "start";

/** Why a step exists: where it came from, in the user's words. `--memory 256m`, `image config User`, `default`. */
export type Reason = string;

export type NamespaceType = "mount" | "pid" | "network" | "ipc" | "uts" | "user" | "cgroup" | "time";

/** A step's position, reason and what it does. */
export type KernelStep = { readonly phase: Phase; readonly reason: Reason } & KernelOperation;

export type KernelOperation =
  | HostOperation
  | CloneOperation
  | MountOperation
  | DeviceOperation
  | IdentityOperation
  | ProcessOperation;

/** Phase `host`. `path` and `file` are absolute host paths below a cgroup mount. */
export type HostOperation =
  /** `mayExist`: a container's own one that its unit has made, in the hierarchies that systemd uses. */
  | { readonly op: "make-cgroup"; readonly path: string; readonly mayExist?: boolean }
  /** Has systemd make the container's own cgroup: a transient unit, which needs a process to begin with unless it is a slice. */
  | {
      readonly op: "start-unit";
      readonly manager: ServiceManager;
      readonly unit: string;
      readonly properties: readonly UnitProperty[];
    }
  /** cgroup v1: fills `path`'s cpuset.cpus and cpuset.mems from its parent's where they are empty (no process may join before). */
  | { readonly op: "inherit-cpuset"; readonly path: string }
  /** cgroup v2: `+name` for each controller into `path`/cgroup.subtree_control. */
  | { readonly op: "enable-controllers"; readonly path: string; readonly controllers: readonly string[] }
  | {
      readonly op: "write-cgroup";
      readonly file: string;
      readonly value: string;
      /** The file may be missing (an optional controller): skip it. */
      readonly optional?: boolean;
    }
  /** cgroup v2: BPF_PROG_TYPE_CGROUP_DEVICE, struct bpf_insn[] little endian. */
  | { readonly op: "attach-device-filter"; readonly path: string; readonly program: Uint8Array };

/** Phase `clone` (`join-cgroup` and `unshare-cgroup`: first thing in the child). */
export type CloneOperation =
  | { readonly op: "join-namespace"; readonly namespace: NamespaceType; readonly path: string }
  /** One clone3 for all new namespaces; `cgroup` is not among them, see `unshare-cgroup`. */
  | { readonly op: "clone"; readonly namespaces: readonly NamespaceType[] }
  /**
   * Written by the parent to /proc/PID/{uid,gid}_map; `map` is in the file's own format. `tool` is the host path of
   * newuidmap(1) or newgidmap(1), which does it for a caller who may not.
   */
  | {
      readonly op: "write-id-map";
      readonly kind: "uid" | "gid";
      readonly map: string;
      readonly tool?: string;
    }
  | {
      readonly op: "write-time-offset";
      readonly clock: "monotonic" | "boottime";
      readonly secs: number;
      readonly nanosecs: number;
    }
  /** Host path of `cgroup.procs`, or of `tasks` for each hierarchy of v1; the child writes itself into it. */
  | { readonly op: "join-cgroup"; readonly file: string }
  /** After join-cgroup, so that the namespace's root is the container's own cgroup (cgroup_namespaces(7)). */
  | { readonly op: "unshare-cgroup" };

/** What a mount target has to be if it does not exist yet. */
export type TargetKind = "directory" | "file";

/** MOUNT_ATTR_* of mount_setattr(2), as two masks. */
export interface MountAttributes {
  readonly set: number;
  readonly clear: number;
}

export type MountOperation =
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, with MS_REC; `target` "/" is the old root before pivot. */
  | { readonly op: "set-propagation"; readonly target: string; readonly flags: number }
  /** Opens the host directory `source` as the container's root and bind-mounts it on itself. Comes before all other mounts. */
  | { readonly op: "open-root"; readonly source: string }
  /**
   * A new file system: fsopen, fsconfig for each of `data` (`key` or `key=value`), fsmount, move_mount. A tmpfs without `mode` in
   * its data takes the mode of the directory that it covers, if there is one.
   */
  | {
      readonly op: "mount";
      readonly fstype: string;
      readonly source: string;
      readonly target: string;
      readonly attributes: number;
      readonly data: readonly string[];
      /** Copies what the image has at `target` into the new tmpfs first (`tmpcopyup`). */
      readonly copyUp?: boolean;
    }
  /** open_tree(OPEN_TREE_CLONE) of the host path `source`, attributes, move_mount. */
  | {
      readonly op: "bind";
      readonly source: string;
      readonly target: string;
      readonly targetKind: TargetKind;
      readonly recursive: boolean;
      readonly attributes: MountAttributes;
      /** The attributes apply to mounts below `source` too (rro, rnosuid, …). */
      readonly attributesRecursive: boolean;
      /** MS_SHARED/MS_SLAVE/MS_PRIVATE/MS_UNBINDABLE [| MS_REC], or 0 to leave it. */
      readonly propagation: number;
      /** An idmapped mount: the maps, in the format of /proc/PID/uid_map. */
      readonly idMap?: { readonly uid: string; readonly gid: string };
    }
  /** Changes the attributes of an existing mount (remount). */
  | {
      readonly op: "remount";
      readonly target: string;
      readonly attributes: MountAttributes;
      readonly recursive: boolean;
    }
  /** Files are covered by the checked /dev/null, directories by an empty read-only tmpfs; missing: nothing. */
  | { readonly op: "mask-path"; readonly path: string }
  | { readonly op: "readonly-path"; readonly path: string }
  /** Makes the root the process's "/": pivot_root, or chroot with MS_MOVE where that is impossible. */
  | { readonly op: "pivot-root"; readonly method: "pivot" | "move" }
  | { readonly op: "make-root-readonly" };

export type DeviceOperation =
  | {
      readonly op: "make-device";
      readonly path: string;
      readonly kind: "c" | "b" | "p";
      readonly major: number;
      readonly minor: number;
      /** Permission bits as in stat(2). */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** Where mknod is impossible (user namespace): bind of the host's node, whose st_rdev is checked. */
  | {
      readonly op: "bind-device";
      readonly source: string;
      readonly path: string;
      readonly kind: "c" | "b";
      readonly major: number;
      readonly minor: number;
    }
  | { readonly op: "symlink"; readonly path: string; readonly to: string }
  /**
   * Opens a pty of the container's own devpts, sends the master to the monitor, binds the slave (TIOCGPTPEER) to
   * /dev/console, and makes it stdio and the controlling terminal. Size 0 leaves the kernel's.
   */
  | { readonly op: "console"; readonly rows: number; readonly columns: number };

export type IdentityOperation =
  | { readonly op: "set-hostname"; readonly name: string }
  | { readonly op: "set-domainname"; readonly name: string }
  /** Below a detached procfs of the helper's own, never below the container's /proc. `key` with dots. */
  | { readonly op: "set-sysctl"; readonly key: string; readonly value: string; readonly optional?: boolean }
  | { readonly op: "bring-up-loopback" };

export type ProcessOperation =
  | {
      readonly op: "hook";
      readonly kind: string;
      readonly path: string;
      readonly args: readonly string[];
      readonly env: readonly string[];
      readonly timeoutMs: number;
      readonly where: "runtime" | "container";
      /** Working directory; without one that of the helper, or the container's root. */
      readonly directory?: string;
      /** The state JSON; where it has `"pid":0`, the helper puts the process's pid in the host's namespace. */
      readonly state: string;
    }
  | { readonly op: "new-session" } // setsid
  | { readonly op: "new-keyring"; readonly name: string; readonly required: boolean }
  | { readonly op: "set-oom-score"; readonly score: number }
  | {
      readonly op: "set-rlimit";
      readonly resource: number;
      readonly name: string;
      readonly soft: bigint;
      readonly hard: bigint;
    }
  | { readonly op: "set-personality"; readonly domain: number }
  | {
      readonly op: "set-scheduler";
      readonly policy: number;
      readonly flags: number;
      readonly nice: number;
      readonly priority: number;
      readonly runtimeNs: bigint;
      readonly deadlineNs: bigint;
      readonly periodNs: bigint;
    }
  | { readonly op: "set-io-priority"; readonly class: number; readonly level: number }
  | { readonly op: "set-cpu-affinity"; readonly mask: Uint8Array }
  /** set_mempolicy(2): the mode with its flags, and the nodes as a bit mask, little endian. */
  | { readonly op: "set-memory-policy"; readonly mode: number; readonly nodes: Uint8Array }
  | { readonly op: "set-security-label"; readonly file: string; readonly label: string } // below /proc/self/attr
  | { readonly op: "set-umask"; readonly mask: number }
  | { readonly op: "change-directory"; readonly path: string } // created if missing when `create`; checked to be inside the root
  | {
      readonly op: "make-directory";
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** Capability masks, bit n is capability n. Bounding is dropped before, the others set after the user changes. */
  | { readonly op: "set-bounding"; readonly mask: bigint }
  | {
      readonly op: "set-user";
      readonly uid: number;
      readonly gid: number;
      readonly additionalGids: readonly number[];
    }
  | {
      readonly op: "set-capabilities";
      readonly effective: bigint;
      readonly permitted: bigint;
      readonly inheritable: bigint;
      readonly ambient: bigint;
    }
  | { readonly op: "no-new-privileges" }
  /** A classic BPF program: struct sock_filter[] (8 bytes each, host byte order). */
  | {
      readonly op: "load-seccomp";
      readonly program: Uint8Array;
      readonly flags: number;
      readonly listenerPath?: string;
      readonly listenerState?: string;
    }
  /** Closes every descriptor above 2 + preserveFds, looks `args[0]` up in PATH of `env`, execs. Always last. */
  | {
      readonly op: "exec";
      readonly args: readonly string[];
      readonly env: readonly string[];
      readonly preserveFds: number;
    };

/** A plan: all steps in the order in which they run; the phases follow each other in the order of `Phase`. */
export interface Plan {
  readonly steps: readonly KernelStep[];
}
