import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciProcess } from "../../formats/oci-runtime.ts";
import { containerDirectory } from "../../runtime/lifecycle/container-directory.ts";
import { readState } from "../../runtime/lifecycle/container-state.ts";
import { type ExecRequest, execProcess } from "../../runtime/lifecycle/exec-process.ts";
import { readSavedConfig } from "../../runtime/lifecycle/saved-config.ts";
import { Console } from "./console.ts";
import { filesOf, listenFdsOf, preserveFdsOf } from "./create-flags.ts";
import { execFlags } from "./exec-flags.ts";
import { execProcessSpec } from "./exec-process-spec.ts";
import { ForwardedSignals, waitInForeground } from "./foreground.ts";
import { defineRuntimeCommand, type RuntimeContext } from "./runtime-command.ts";

export const command = defineRuntimeCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...] | --process FILE CONTAINER",
  summary: "Run a further process in a container",
  flags: execFlags,
  args: { min: 1 },
  interspersed: false,
  failure: "exec failed",
  failureCode: 255,

  async execute(context, { flags, given, args: [id = "", ...words] }) {
    if (flags.process === undefined && words.length === 0)
      throw invalidParameter("process args cannot be empty");
    const directory = containerDirectory(context.root, id);
    const state = readState(directory);
    const spec = readSavedConfig(directory);
    const process: OciProcess = execProcessSpec(spec.process ?? { cwd: "/" }, words, flags, given);
    const request: ExecRequest = {
      directory,
      state,
      spec,
      process,
      detached: flags.detach,
      ignorePaused: flags["ignore-paused"],
      cgroups: flags.cgroup,
      preserveFds: preserveFdsOf(flags["preserve-fds"], context.env),
      listenFds: listenFdsOf(context.env),
      ...filesOf(flags),
    };
    return flags.detach ? runDetached(context, request) : runInForeground(context, request);
  },
});

async function runDetached(context: RuntimeContext, request: ExecRequest): Promise<number> {
  const launched = execProcess(request, await context.launcher(), await context.host());
  launched.exitCode();
  return 0;
}

async function runInForeground(context: RuntimeContext, request: ExecRequest): Promise<number> {
  using signals = new ForwardedSignals();
  const launcher = await context.launcher();
  const host = await context.host();
  if (request.process.terminal !== true)
    return await waitInForeground(execProcess(request, launcher, host), signals, undefined);
  const console = Console.open();
  try {
    const launched = execProcess({ ...request, ownConsole: console.peer }, launcher, host);
    console.connect();
    return await waitInForeground(launched, signals, console);
  } finally {
    console.close();
  }
}
