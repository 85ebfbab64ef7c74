import { invalidParameter, notImplemented } from "../../errors/platform-error.ts";
import type { OciSeccomp } from "../../formats/oci-runtime.ts";
import { compileSeccomp } from "../seccomp/compile-bpf.ts";
import type { PlannedState } from "./planned-state.ts";
import type { ProcessContext } from "./process-context.ts";
import type { StepList } from "./step-list.ts";

/** seccomp(2), SECCOMP_FILTER_FLAG_*. */
const filterFlags: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

export const filterFlagNames: readonly string[] = Object.keys(filterFlags);

/**
 * Plans the filter, and the listener of one that asks an agent.
 *
 * Errors: InvalidParameter for an unknown flag, and for an agent that nobody names or that would be asked about the very call
 *         by which it gets its listener; NotImplemented without filters in the kernel.
 * Spec:   OCI Runtime Specification, "Seccomp", "The Container Process State"; seccomp_unotify(2).
 */
export function planSeccomp({ seccomp, host, state }: ProcessContext, list: StepList): void {
  if (seccomp === undefined) return;
  if (host.seccompActions.length === 0)
    throw notImplemented("linux.seccomp: this kernel has no seccomp filters");
  const listener = planListener(seccomp, state);
  list.add("/linux/seccomp", {
    op: "load-seccomp",
    program: compileSeccomp(seccomp, host.architecture),
    flags: listener === undefined ? flagsOf(seccomp) : flagsWithListener(seccomp),
    ...listener,
  });
}

function flagsOf({ flags = [] }: OciSeccomp): number {
  return flags.reduce((mask, name) => {
    const flag = filterFlags[name];
    if (flag === undefined) throw invalidParameter(`linux.seccomp.flags: ${name} is unknown`);
    return mask | flag;
  }, 0);
}

/** The kernel takes TSYNC and a listener together only in a form that changes nothing for a process of one thread. */
const flagsWithListener = (seccomp: OciSeccomp) => flagsOf(seccomp) & ~1;

const notify = "SCMP_ACT_NOTIFY";

function planListener(seccomp: OciSeccomp, state: PlannedState | undefined) {
  const { defaultAction, syscalls = [], listenerPath = "", listenerMetadata = "" } = seccomp;
  const asked = syscalls.filter(({ action }) => action === notify);
  if (listenerPath !== "" && !listenerPath.startsWith("/"))
    throw invalidParameter(`linux.seccomp.listenerPath: ${listenerPath} is not absolute`);
  if (listenerPath === "" && listenerMetadata !== "")
    throw invalidParameter("linux.seccomp.listenerMetadata: needs a listenerPath");
  if (defaultAction === notify)
    throw invalidParameter(
      `linux.seccomp.defaultAction: ${notify} would ask about the call that hands the listener over`,
    );
  if (asked.length === 0) return undefined;
  if (listenerPath === "")
    throw invalidParameter(`linux.seccomp.listenerPath: is missing, but ${notify} needs an agent`);
  if (asked.some(({ names }) => names.includes("write")))
    throw invalidParameter(
      `linux.seccomp.syscalls: ${notify} cannot be used for write, which hands the listener over`,
    );
  if (state === undefined) throw notImplemented("linux.seccomp.listenerPath: is for the OCI runtime only");
  return { listenerPath, listenerState: JSON.stringify(processState(state, listenerMetadata)) };
}

/** The order of the descriptors sent along is that of `fds`. */
const processState = (state: PlannedState, metadata: string) => ({
  ociVersion: state.ociVersion,
  fds: ["seccompFd"],
  pid: 0,
  ...(metadata !== "" && { metadata }),
  state,
});
