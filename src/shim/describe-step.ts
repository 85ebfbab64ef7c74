import type { KernelStep } from "../kernel/steps.ts";

/**
 * What a step was about to do, in the words of an error message: `mount proc on /proc`, `set rlimit RLIMIT_NOFILE`.
 * Names the object, not every argument. Pure.
 */
export function describeStep(step: KernelStep): string {
  switch (step.op) {
    case "join-namespace":
      return `join the ${step.namespace} namespace ${step.path}`;
    case "clone":
      return `make the process in new namespaces (${step.namespaces.join(", ") || "none"})`;
    case "write-id-map":
      return `write the ${step.kind} map ${JSON.stringify(step.map.trim())}`;
    case "write-time-offset":
      return `set the ${step.clock} clock's offset`;
    case "join-cgroup":
      return `join cgroup ${step.file.replace(/\/[^/]*$/, "")}`;
    case "unshare-cgroup":
      return "make a cgroup namespace";
    case "set-propagation":
      return `set the mount propagation of ${step.target}`;
    case "open-root":
      return `open the container's root ${step.source}`;
    case "mount":
      return `mount ${step.fstype} on ${step.target}`;
    case "bind":
      return `bind ${step.source} on ${step.target}`;
    case "bind-device":
      return `bind device ${step.source} on ${step.path}`;
    case "remount":
      return `change the mount ${step.target}`;
    case "mask-path":
      return `mask ${step.path}`;
    case "readonly-path":
      return `make ${step.path} read-only`;
    case "pivot-root":
      return "make the container's root the root directory";
    case "make-root-readonly":
      return "make the container's root read-only";
    case "make-device":
      return `make device ${step.path} (${step.kind} ${step.major}:${step.minor})`;
    case "symlink":
      return `make link ${step.path}`;
    case "console":
      return "open the container's terminal";
    case "set-hostname":
      return `set the host name ${step.name}`;
    case "set-domainname":
      return `set the domain name ${step.name}`;
    case "set-sysctl":
      return `set sysctl ${step.key}=${step.value}`;
    case "bring-up-loopback":
      return "bring up the loopback link";
    case "hook":
      return step.kind === "network device"
        ? `move network device ${step.args.at(-2)} into the container`
        : `run ${step.kind} hook ${step.path}`;
    case "new-keyring":
      return `join session keyring ${step.name}`;
    case "set-oom-score":
      return `set the OOM score to ${step.score}`;
    case "set-rlimit":
      return `set ${step.name} to ${limitText(step.soft)}:${limitText(step.hard)}`;
    case "set-security-label":
      return `set the security label ${step.label}`;
    case "change-directory":
      return `chdir to cwd (${JSON.stringify(step.path)})`;
    case "make-directory":
      return `make directory ${step.path}`;
    case "set-user":
      return `become user ${step.uid}:${step.gid}`;
    case "set-capabilities":
      return "set the capabilities";
    case "set-bounding":
      return "drop capabilities from the bounding set";
    case "load-seccomp":
      return "load the seccomp filter";
    case "exec":
      return `exec ${JSON.stringify(step.args[0] ?? "")}`;
    default:
      return step.op.replaceAll("-", " ");
  }
}

const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const limitText = (limit: bigint): string => (limit === UNLIMITED ? "unlimited" : limit.toString());
