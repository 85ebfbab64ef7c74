import { PlatformError, type PlatformErrorOptions, systemError } from "../errors/platform-error.ts";
import { errnoName, errnoText } from "../kernel/errno.ts";
import type { KernelStep, Plan } from "../kernel/steps.ts";
import { describeStep } from "./describe-step.ts";
import type { Failure } from "./protocol.ts";

type ExecStep = Extract<KernelStep, { op: "exec" }>;

/**
 * Turns a failure that the helper reported into an error which names the step, its arguments, the step's reason and
 * the errno. Failures of exec have runc's wording, which Docker's clients match for exit codes 126 and 127.
 */
export function failureError(plan: Plan | undefined, failure: Failure): PlatformError {
  const step = plan?.steps[failure.stepIndex];
  const filter = plan?.steps.find(({ op }) => op === "load-seccomp");
  if (step === undefined) return withoutStep(failure, filter?.reason);
  return step.op === "exec" ? execError(step, failure, filter?.reason) : stepError(step, failure);
}

/** What the helper finds when the process is gone before it could say why: there is no errno to tell. */
export const endedEarly = "process.ended-early";

function withoutStep(failure: Failure, filter: string | undefined): PlatformError {
  const what = failure.detail || "start the container's process";
  const errno = errnoName(failure.errno);
  if (errno !== "ECHILD" || failure.detail === "")
    return systemError(`${what}: ${errnoText(failure.errno)}`, { code: `errno.${errno}` });
  const hint =
    filter === undefined
      ? undefined
      : `the seccomp filter (${filter}) has to allow what executes a program: execve, and what reports a failure`;
  return systemError(what, { code: endedEarly, ...(hint !== undefined && { hint }) });
}

function stepError(step: KernelStep, failure: Failure): PlatformError {
  const what = describeStep(step);
  // A hook that failed has said why: that its container is not made for that is no further cause.
  const cause =
    step.op === "hook" && errnoName(failure.errno) === "ECANCELED" ? [] : [errnoText(failure.errno)];
  const message = [what, ...detailOf(what, failure.detail), ...cause].join(": ");
  const options: PlatformErrorOptions = {
    code: `errno.${errnoName(failure.errno)}`,
    hint: hintOf(step, failure) ?? `this step comes from: ${step.reason}`,
  };
  return isUsersFault(step, failure)
    ? new PlatformError("InvalidParameter", `${message} (${step.reason})`, options)
    : systemError(`${message} (${step.reason})`, options);
}

/** The detail often is the object that the description names already. */
function detailOf(what: string, detail: string): string[] {
  return detail === "" || what.includes(detail) ? [] : [detail];
}

const userSteps: ReadonlySet<KernelStep["op"]> = new Set(["bind", "change-directory", "bind-device"]);

/** A path that the request names and that is not there, or is of the wrong kind. */
function isUsersFault(step: KernelStep, failure: Failure): boolean {
  return userSteps.has(step.op) && ["ENOENT", "ENOTDIR", "EISDIR"].includes(errnoName(failure.errno));
}

/** What connect(2) says where no socket is, or nobody behind it. */
const isNobody = (errno: string): boolean => errno === "ENOENT" || errno === "ECONNREFUSED";

function hintOf(step: KernelStep, failure: Failure): string | undefined {
  const name = errnoName(failure.errno);
  if (step.op === "bind" && name === "ENOTDIR") {
    return "a directory can only be mounted on a directory, and a file on a file";
  }
  if (step.op === "set-rlimit" && name === "EPERM") {
    return `gantry itself may not raise this limit; ask for less than its own hard limit (${step.reason})`;
  }
  if (step.op === "load-seccomp" && step.listenerPath !== undefined && name === "EPERM") {
    return "an unprivileged caller gets a listener only of a container that joins no namespace; join none, or run as root";
  }
  if (step.op === "load-seccomp" && step.listenerPath !== undefined && isNobody(name)) {
    return `no agent listens on ${step.listenerPath} (linux.seccomp.listenerPath)`;
  }
  if (step.op === "set-oom-score" && name === "EACCES") {
    return `gantry itself may not lower the OOM score (${step.reason})`;
  }
  return undefined;
}

/**
 * The helper puts the path of a file that was found into the detail; without one, there was none. `filter` is where the seccomp
 * filter comes from, if there is one.
 */
function execError(step: ExecStep, failure: Failure, filter: string | undefined): PlatformError {
  const name = step.args[0] ?? "";
  const found = failure.detail;
  const errno = errnoName(failure.errno);
  const error = (code: string, reason: string, hint?: string) =>
    new PlatformError("InvalidParameter", `exec: ${JSON.stringify(name)}: ${reason}`, { code, hint });
  if (errno === "ENOENT" && found === "") {
    return name.includes("/")
      ? error("exec.not-found", `stat ${name}: no such file or directory`)
      : error("exec.not-found", "executable file not found in $PATH");
  }
  // The file is there, but what it needs is not: an interpreter (see diagnose-exec.ts).
  if (errno === "ENOENT") return error("exec.interpreter-missing", "no such file or directory");
  if (errno === "EISDIR") return error("exec.is-directory", "is a directory");
  if (errno === "EACCES") return error("exec.not-executable", "permission denied");
  if (errno === "ENOEXEC") return error("exec.bad-format", "exec format error");
  if (errno === "EPERM" && filter !== undefined)
    return error(
      "exec.denied",
      errnoText(failure.errno),
      `the seccomp filter has to allow execve (${filter})`,
    );
  return error(`errno.${errno}`, errnoText(failure.errno));
}
