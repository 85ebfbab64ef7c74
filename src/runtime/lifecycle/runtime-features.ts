import { hookKinds, namespaceTypes, seccompActions, seccompOperators } from "../../formats/oci-runtime.ts";
import { capabilityNames } from "../capabilities.ts";
import { ociVersion } from "../defaults.ts";
import { knownMountOptions } from "../plan/mount-options.ts";
import { filterFlagNames } from "../plan/plan-seccomp.ts";
import { memoryFlagNames, memoryModeNames } from "../plan/scheduling.ts";
import { knownArchitectures } from "../seccomp/architectures.ts";
import { propertyAnnotation } from "../systemd/annotation-properties.ts";

/**
 * What this program can do, whatever the host can. Pure.
 * Spec: OCI Runtime Specification, "Features Structure".
 */
export function runtimeFeatures(version: string) {
  return {
    ociVersionMin: "1.0.0",
    ociVersionMax: ociVersion,
    hooks: hookKinds,
    mountOptions: knownMountOptions,
    linux: {
      namespaces: [...namespaceTypes].sort(),
      capabilities: capabilityNames,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        enabled: true,
        actions: seccompActions,
        operators: seccompOperators,
        archs: knownArchitectures,
        knownFlags: filterFlagNames,
        supportedFlags: filterFlagNames,
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
      memoryPolicy: { modes: memoryModeNames, flags: memoryFlagNames },
      netDevices: { enabled: true },
    },
    annotations: { "io.gantry.version": version },
    potentiallyUnsafeConfigAnnotations: [propertyAnnotation],
  };
}
