import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciProcess, OciSpec } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import { availableCapabilities } from "../../runtime/capabilities.ts";
import { type IdentityFiles, resolveUser } from "../../runtime/users.ts";
import { buildEnvironment } from "./build-environment.ts";
import { consoleSize, workingDirectory } from "./build-process.ts";
import type { ContainerConfig, ExecConfig, HostConfig } from "./docker-config.ts";
import { OriginMap } from "./origins.ts";

export interface ExecInput {
  readonly exec: ExecConfig;
  /** The container's, after `mergeImageConfig`. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** The container's own, as it was built at its start. */
  readonly spec: OciSpec;
  readonly hostname: string;
  readonly identity: IdentityFiles;
  readonly host: HostFacts;
}

/**
 * Builds the process of an exec: the container's user, directory, variables and privileges, but for what the request says.
 * Pure; `planExec` makes steps of it.
 *
 * Errors: InvalidParameter in Docker's wording.
 */
export function buildExecProcess(input: ExecInput): {
  process: OciProcess;
  origins: ReadonlyMap<string, string>;
} {
  const { exec, config, hostConfig, spec, identity, host } = input;
  const args = exec.Cmd ?? [];
  if (args.length === 0) throw invalidParameter("No exec command specified");
  const { home, ...user } = resolveUser(exec.User || config.User || "", hostConfig.GroupAdd ?? [], identity);
  const { Tty = false, Privileged = false } = exec;
  const origins = new OriginMap();
  origins.set("", "as the container");
  origins.set("/process/args", "exec's command line");
  if (exec.User) origins.set("/process/user", `exec --user ${exec.User}`);
  if (exec.WorkingDir) origins.set("/process/cwd", `exec --workdir ${exec.WorkingDir}`);
  if (Tty) origins.set("/process/terminal", "exec --tty");
  if (Privileged) origins.set("/process/capabilities", "exec --privileged");
  const own = spec.process;
  const all = availableCapabilities(host.capabilities.bounding, host.lastCapability);
  const process: OciProcess = {
    ...(Tty && { terminal: true, ...consoleSize(exec.ConsoleSize) }),
    user,
    args,
    env: buildEnvironment({ ...config, Tty }, input.hostname, home, exec.Env),
    cwd: workingDirectory(exec.WorkingDir || config.WorkingDir || ""),
    ...(Privileged
      ? { capabilities: { bounding: all, effective: all, permitted: all } }
      : own?.capabilities !== undefined && { capabilities: own.capabilities }),
    ...(own?.rlimits !== undefined && { rlimits: own.rlimits }),
    ...(own?.noNewPrivileges === true && { noNewPrivileges: true }),
    ...(own?.apparmorProfile !== undefined && { apparmorProfile: own.apparmorProfile }),
    ...(own?.oomScoreAdj !== undefined && { oomScoreAdj: own.oomScoreAdj }),
  };
  return { process, origins: origins.map };
}
