import { posix } from "node:path";
import { invalidParameter, notImplemented, systemError } from "../../errors/platform-error.ts";
import type { CapabilitySet, OciProcess } from "../../formats/oci-runtime.ts";
import { type HostFacts, unlimited } from "../../kernel/host-facts.ts";
import type { KernelStep } from "../../kernel/steps.ts";
import { capabilityBit, capabilityMask } from "../capabilities.ts";
import { planEnvironment } from "./plan-environment.ts";
import { planSeccomp } from "./plan-seccomp.ts";
import type { ProcessContext } from "./process-context.ts";
import { rlimitNumbers } from "./rlimits.ts";
import { ioPriorityStep, memoryPolicyStep, schedulerStep } from "./scheduling.ts";
import { StepList } from "./step-list.ts";

/** First thing in the new process: what must precede the mounts, or needs the host's /proc. */
export function planProcessSetup({ process, host, options, reasonOf }: ProcessContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  if (process.oomScoreAdj !== undefined) {
    checkOomScore(process.oomScoreAdj, host);
    list.add("/process/oomScoreAdj", { op: "set-oom-score", score: process.oomScoreAdj });
  }
  list.addBecause("every process", { op: "new-session" });
  if (options.noNewKeyring !== true)
    list.addBecause("every process", {
      op: "new-keyring",
      name: `_ses.${options.containerId}`,
      // A kernel without keys has none to leak.
      required: false,
    });
  return list.steps;
}

/**
 * Less likely to be killed than the one who asks: a privilege. But whoever made itself more likely may go back to where it
 * came from (proc_pid_oom_score_adj(5)): containerd's shim does, and its containers shall have 0. What it came from only the
 * kernel knows, so that it decides from 0 on.
 */
function checkOomScore(score: number, host: HostFacts): void {
  if (hasSysResource(host) || score >= Math.min(host.oomScoreAdj, 0)) return;
  throw systemError(
    `oom_score_adj: ${score} is below this host's ${host.oomScoreAdj}, and lowering it needs CAP_SYS_RESOURCE, which is missing here`,
    { hint: `choose at least ${host.oomScoreAdj}`, code: "oom-score.refused" },
  );
}

/** One that is meant inside of a user namespace only does not count (user_namespaces(7)). */
const hasSysResource = ({ capabilities, inUserNamespace }: HostFacts): boolean =>
  !inUserNamespace && (capabilities.permitted & capabilityBit("CAP_SYS_RESOURCE")) !== 0n;

/** The console, once the container's devpts is there. Errors: none. */
export function planConsole({ process, reasonOf }: ProcessContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  if (process.terminal === true)
    list.add("/process/terminal", {
      op: "console",
      rows: process.consoleSize?.height ?? 0,
      columns: process.consoleSize?.width ?? 0,
    });
  return list.steps;
}

/** Docker and runc make a missing working directory, owned by root. */
export function planWorkingDirectory({ process, reasonOf }: ProcessContext): KernelStep[] {
  const list = new StepList("setup", reasonOf);
  const path = workingDirectory(process);
  if (path !== "/") list.add("/process/cwd", { op: "make-directory", path, mode: 0o755, uid: 0, gid: 0 });
  return list.steps;
}

function workingDirectory({ cwd }: OciProcess): string {
  if (!cwd.startsWith("/")) throw invalidParameter(`process.cwd: ${cwd || '""'} is not absolute`);
  return posix.normalize(cwd).replace(/(.)\/+$/, "$1");
}

/**
 * Plans phase `start`: from the prepared process to exec.
 *
 * Order: limits late, as a low RLIMIT_NOFILE would hinder what opens files; the working directory while still root; the
 * bounding set while CAP_SETPCAP is there; the user; then filter and capabilities. Without no_new_privs only a process with
 * CAP_SYS_ADMIN may load a filter, so that it comes before the capabilities are reduced; with it, last.
 *
 * Errors: InvalidParameter and NotImplemented naming the field.
 * Spec:   OCI Runtime Specification, "Process"; credentials(7), capabilities(7), seccomp(2).
 */
export function planProcessStart(context: ProcessContext): KernelStep[] {
  const { process } = context;
  const list = new StepList("start", context.reasonOf);
  planScheduling(context, list);
  planSecurityLabel(context, list);
  const { umask } = process.user ?? {};
  if (umask === undefined) list.addBecause("every process", { op: "set-umask", mask: 0o022 });
  else list.add("/process/user/umask", { op: "set-umask", mask: umask });
  list.add("/process/cwd", { op: "change-directory", path: workingDirectory(process) });
  planRlimits(context, list);
  planPrivileges(context, list);
  planExecStep(context, list);
  return list.steps;
}

function planScheduling({ process, personality, memoryPolicy }: ProcessContext, list: StepList): void {
  if (personality !== undefined) {
    const domain = { LINUX: 0, LINUX32: 8 }[personality.domain];
    if (domain === undefined)
      throw invalidParameter(`linux.personality.domain: ${personality.domain} is not LINUX or LINUX32`);
    if ((personality.flags ?? []).length > 0)
      throw notImplemented(`linux.personality.flags: ${personality.flags?.join(",")} are not supported`);
    list.add("/linux/personality", { op: "set-personality", domain });
  }
  if (memoryPolicy !== undefined) list.add("/linux/memoryPolicy", memoryPolicyStep(memoryPolicy));
  if (process.scheduler !== undefined) list.add("/process/scheduler", schedulerStep(process.scheduler));
  if (process.ioPriority !== undefined) list.add("/process/ioPriority", ioPriorityStep(process.ioPriority));
}

function planSecurityLabel({ process, host }: ProcessContext, list: StepList): void {
  const { apparmorProfile = "", selinuxLabel = "" } = process;
  if (apparmorProfile !== "") {
    if (!host.apparmor)
      throw notImplemented(
        `process.apparmorProfile: ${apparmorProfile} is asked for, but this host has no AppArmor`,
      );
    list.add("/process/apparmorProfile", {
      op: "set-security-label",
      file: "apparmor/exec",
      label: `exec ${apparmorProfile}`,
    });
  }
  if (selinuxLabel !== "") {
    if (!host.selinux)
      throw notImplemented(
        `process.selinuxLabel: ${selinuxLabel} is asked for, but this host has no SELinux`,
        { hint: "boot a kernel with SELinux (security=selinux), or leave the label away" },
      );
    list.add("/process/selinuxLabel", { op: "set-security-label", file: "exec", label: selinuxLabel });
  }
}

function planRlimits({ process, host }: ProcessContext, list: StepList): void {
  const seen = new Set<string>();
  for (const [index, { type, soft, hard }] of (process.rlimits ?? []).entries()) {
    const place = `process.rlimits[${index}]`;
    const resource = rlimitNumbers[type];
    if (resource === undefined) throw invalidParameter(`${place}.type: ${type} is unknown`);
    if (seen.has(type)) throw invalidParameter(`${place}: ${type} is named twice`);
    if (soft > hard) throw invalidParameter(`${place}: soft limit ${soft} is higher than hard limit ${hard}`);
    seen.add(type);
    checkGrantable(type, BigInt(hard), host);
    list.add(`/process/rlimits/${index}`, {
      op: "set-rlimit",
      resource,
      name: type,
      soft: BigInt(soft),
      hard: BigInt(hard),
    });
  }
}

/** The kernel would refuse it at start; here it is still clear which limit and why. */
function checkGrantable(type: string, hard: bigint, host: HostFacts): void {
  const own = host.rlimits[type]?.hard;
  if (hasSysResource(host) || own === undefined || hard <= own) return;
  const wanted = hard === unlimited ? "unlimited" : String(hard);
  throw systemError(
    `${type}: hard limit ${wanted} is above this host's ${own}, and raising it needs CAP_SYS_RESOURCE, which is missing here`,
    { hint: `choose at most ${own}`, code: "rlimit.refused" },
  );
}

function planPrivileges(context: ProcessContext, list: StepList): void {
  const { process } = context;
  const { uid = 0, gid = 0, additionalGids = [] } = process.user ?? {};
  const masks = capabilityMasks(context);
  const noNewPrivileges = process.noNewPrivileges === true;
  list.add("/process/capabilities/bounding", { op: "set-bounding", mask: masks.bounding });
  list.add("/process/user", { op: "set-user", uid, gid, additionalGids });
  if (!noNewPrivileges) {
    if (uid !== 0 && context.seccomp !== undefined) keepAdministrator(context, list);
    planSeccomp(context, list);
  }
  const { effective, permitted, inheritable, ambient } = masks;
  list.add("/process/capabilities", { op: "set-capabilities", effective, permitted, inheritable, ambient });
  if (!noNewPrivileges) return;
  list.add("/process/noNewPrivileges", { op: "no-new-privileges" });
  planSeccomp(context, list);
}

/** The change away from root emptied the effective set; loading a filter needs one of them. */
function keepAdministrator({ host, inUserNamespace }: ProcessContext, list: StepList): void {
  const all = (1n << BigInt(host.lastCapability + 1)) - 1n;
  list.addBecause("loading the filter needs it", {
    op: "set-capabilities",
    effective: capabilityBit("CAP_SYS_ADMIN") | capabilityBit("CAP_SETPCAP"),
    permitted: inUserNamespace ? all : host.capabilities.permitted,
    inheritable: 0n,
    ambient: 0n,
  });
}

/**
 * What is unknown or cannot be granted is left out, as the specification asks. The ambient set is limited to what the permitted
 * and the inheritable set have (capabilities(7)).
 */
function capabilityMasks({ process, host, inUserNamespace }: ProcessContext): Record<CapabilitySet, bigint> {
  const all = (1n << BigInt(host.lastCapability + 1)) - 1n;
  const grantable = inUserNamespace ? all : host.capabilities.permitted & all;
  const mask = (set: CapabilitySet) => capabilityMask(process.capabilities?.[set] ?? []);
  const bounding = mask("bounding") & all;
  const permitted = mask("permitted") & grantable;
  const inheritable = mask("inheritable") & grantable;
  return {
    bounding,
    permitted,
    effective: mask("effective") & permitted,
    inheritable,
    ambient: mask("ambient") & permitted & inheritable,
  };
}

function planExecStep({ process, options }: ProcessContext, list: StepList): void {
  const args = process.args ?? [];
  if (args.length === 0 || args[0] === "") throw invalidParameter("process.args: names no command to run");
  list.add("/process/args", {
    op: "exec",
    args,
    env: planEnvironment(process.env ?? []),
    preserveFds: options.preserveFds ?? 0,
  });
}
