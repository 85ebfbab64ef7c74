import { closeSync, openSync, readFileSync } from "node:fs";
import { systemError } from "../../errors/platform-error.ts";
import type { HookKind, OciHook } from "../../formats/oci-runtime.ts";
import { type FdMapping, reapNow, spawnProcess } from "../../kernel/child-processes.ts";
import { createMemfd, sealedMemfd } from "../../kernel/memfd.ts";
import { POLLIN, poll } from "../../kernel/poll.ts";
import { type ChildStatus, openPidfd, sendSignal } from "../../kernel/processes.ts";
import { inDirectory } from "../../kernel/working-directory.ts";
import type { HookState } from "./oci-state.ts";

const sigkill = 9;

/**
 * Runs hooks in the namespaces of this process and in the directory of the bundle, one after the other, each with the state on its
 * standard input.
 *
 * Errors: System for the first that fails or takes too long, with what it wrote. The ones behind it do not run.
 * Spec:   OCI Runtime Specification, "POSIX-platform Hooks".
 */
export function runHooks(kind: HookKind, hooks: readonly OciHook[], state: HookState): void {
  for (const [index, hook] of hooks.entries()) runHook(`${kind} hook #${index}`, hook, state);
}

/** The same for hooks whose failure changes nothing: each is told to `warn`, and the next one runs. */
export function runHooksLeniently(
  kind: HookKind,
  hooks: readonly OciHook[],
  state: HookState,
  warn: (message: string) => void,
): void {
  for (const [index, hook] of hooks.entries())
    try {
      runHook(`${kind} hook #${index}`, hook, state);
    } catch (error) {
      warn(error instanceof Error ? error.message : String(error));
    }
}

function runHook(name: string, hook: OciHook, { bundle, json }: HookState): void {
  if (!hook.path.startsWith("/")) throw systemError(`error running ${name}: ${hook.path} is not absolute`);
  const content = sealedMemfd("state", Buffer.from(json));
  const input = openSync(`/proc/self/fd/${content}`, "r"); // at its start, where the other one is at its end
  const output = createMemfd("output");
  try {
    const fds: FdMapping[] = [
      [input, 0],
      [output, 1],
      [output, 2],
    ];
    const pid = inDirectory(bundle, () =>
      spawnProcess(hook.path, hook.args ?? [hook.path], hook.env ?? [], fds),
    );
    const status = waitForHook(pid, hook.timeout);
    if (status === "timeout") throw hookError(name, hook, `timeout of ${hook.timeout} s reached`, output);
    if (status.kind === "killed") throw hookError(name, hook, `killed by signal ${status.signal}`, output);
    if (status.exitCode !== 0) throw hookError(name, hook, `exit status ${status.exitCode}`, output);
  } finally {
    for (const fd of [content, input, output]) closeSync(fd);
  }
}

function waitForHook(pid: number, timeoutSeconds: number | undefined): ChildStatus | "timeout" {
  if (timeoutSeconds === undefined) return reapNow(pid);
  const pidfd = openPidfd(pid);
  try {
    const [ended = 0] = poll([{ fd: pidfd, events: POLLIN }], timeoutSeconds * 1000);
    if (ended !== 0) return reapNow(pid);
    sendSignal(pid, sigkill);
    reapNow(pid);
    return "timeout";
  } finally {
    closeSync(pidfd);
  }
}

function hookError(name: string, hook: OciHook, why: string, output: number) {
  const said = readFileSync(`/proc/self/fd/${output}`, "utf8").trim().slice(0, 1000);
  return systemError(`error running ${name} ${hook.path}: ${why}${said === "" ? "" : `, output: ${said}`}`, {
    code: "hook.failed",
  });
}
