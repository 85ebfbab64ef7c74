import type { OciMount, OciSpec } from "../../formats/oci-runtime.ts";
import {
  defaultMaskedPaths,
  defaultMounts,
  defaultPath,
  defaultReadonlyPaths,
  ociVersion,
} from "../defaults.ts";

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/**
 * What `spec` writes: a shell in a read-only root, for people to edit. `owner` is the unprivileged caller, whose id becomes
 * the container's root. Pure.
 */
export function exampleSpec(owner?: { readonly uid: number; readonly gid: number }): OciSpec {
  return {
    ociVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: [`PATH=${defaultPath}`, "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "gantry",
    mounts: defaultMounts.map((mount) => exampleMount(mount, owner !== undefined)),
    linux: {
      ...(owner === undefined
        ? { resources: { devices: [{ allow: false, access: "rwm" }] } }
        : {
            uidMappings: [{ containerID: 0, hostID: owner.uid, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: owner.gid, size: 1 }],
          }),
      namespaces: [
        { type: "pid" },
        // Nobody could connect an unprivileged network to anything.
        ...(owner === undefined ? [{ type: "network" } as const] : []),
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
        { type: "cgroup" },
        ...(owner === undefined ? [] : [{ type: "user" } as const]),
      ],
      maskedPaths: defaultMaskedPaths,
      readonlyPaths: defaultReadonlyPaths,
    },
  };
}

function exampleMount(mount: OciMount, rootless: boolean): OciMount {
  const options = mount.options ?? [];
  if (mount.destination === "/dev/shm") return { ...mount, options: [...options, "size=65536k"] };
  if (!rootless) return mount;
  // Group 5 has no mapping, and sysfs belongs to the network namespace, which is the host's.
  if (mount.destination === "/dev/pts")
    return { ...mount, options: options.filter((option) => option !== "gid=5") };
  if (mount.destination === "/sys")
    return {
      destination: "/sys",
      type: "none",
      source: "/sys",
      options: ["rbind", "nosuid", "noexec", "nodev", "ro"],
    };
  return mount;
}
