import type { KernelStep } from "../../kernel/steps.ts";

/** Under which headline a step is shown, in the order of the plan. */
export type Topic =
  | "Limits"
  | "Namespaces"
  | "Process"
  | "Root"
  | "Mounts"
  | "Devices"
  | "Hooks"
  | "Identity"
  | "Protected paths"
  | "Privileges"
  | "Program";

const topics: Record<KernelStep["op"], Topic> = {
  "make-cgroup": "Limits",
  "start-unit": "Limits",
  "inherit-cpuset": "Limits",
  "enable-controllers": "Limits",
  "write-cgroup": "Limits",
  "attach-device-filter": "Limits",
  "join-namespace": "Namespaces",
  clone: "Namespaces",
  "write-id-map": "Namespaces",
  "write-time-offset": "Namespaces",
  "join-cgroup": "Namespaces",
  "unshare-cgroup": "Namespaces",
  "set-propagation": "Mounts",
  "open-root": "Root",
  mount: "Mounts",
  bind: "Mounts",
  remount: "Mounts",
  "mask-path": "Protected paths",
  "readonly-path": "Protected paths",
  "pivot-root": "Root",
  "make-root-readonly": "Root",
  "make-device": "Devices",
  "bind-device": "Devices",
  symlink: "Devices",
  console: "Devices",
  "set-hostname": "Identity",
  "set-domainname": "Identity",
  "set-sysctl": "Identity",
  "bring-up-loopback": "Identity",
  hook: "Hooks",
  "new-session": "Process",
  "new-keyring": "Process",
  "set-oom-score": "Process",
  "set-rlimit": "Process",
  "set-personality": "Process",
  "set-scheduler": "Process",
  "set-io-priority": "Process",
  "set-cpu-affinity": "Process",
  "set-memory-policy": "Process",
  "set-security-label": "Privileges",
  "set-umask": "Process",
  "change-directory": "Process",
  "make-directory": "Process",
  "set-bounding": "Privileges",
  "set-user": "Privileges",
  "set-capabilities": "Privileges",
  "no-new-privileges": "Privileges",
  "load-seccomp": "Privileges",
  exec: "Program",
};

export const topicOf = (step: KernelStep): Topic => topics[step.op];
