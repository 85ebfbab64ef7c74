import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciCapabilities, OciProcess, OciRlimit } from "../../formats/oci-runtime.ts";
import type { HostFacts } from "../../kernel/host-facts.ts";
import {
  adjustCapabilities,
  availableCapabilities,
  defaultCapabilities,
} from "../../runtime/capabilities.ts";
import { rlimitNumbers } from "../../runtime/plan/rlimits.ts";
import { resolveUser } from "../../runtime/users.ts";
import { buildEnvironment } from "./build-environment.ts";
import { initTarget } from "./build-mounts.ts";
import type { ContainerConfig, HostConfig, Ulimit } from "./docker-config.ts";
import type { OriginMap } from "./origins.ts";
import type { SecurityOptions } from "./security-options.ts";
import type { SpecInput } from "./spec-input.ts";

/**
 * Builds the container's own process.
 * Errors: InvalidParameter in Docker's wording.
 */
export function buildProcess(input: SpecInput, security: SecurityOptions, origins: OriginMap): OciProcess {
  const { config, hostConfig, identity, host } = input;
  const { Tty = false, User = "", WorkingDir = "" } = config;
  const { home, ...user } = resolveUser(User, hostConfig.GroupAdd ?? [], identity);
  const rlimits = buildRlimits(hostConfig.Ulimits ?? [], origins);
  noteOrigins(input, origins);
  const apparmorProfile = security.apparmor ?? "";
  return {
    ...(Tty && { terminal: true, ...consoleSize(hostConfig.ConsoleSize) }),
    user,
    args: buildArgs(input),
    env: buildEnvironment(config, input.hostname, home),
    cwd: workingDirectory(WorkingDir),
    capabilities: buildCapabilities(hostConfig, host, origins),
    ...(rlimits.length > 0 && { rlimits }),
    ...(security.noNewPrivileges && { noNewPrivileges: true }),
    ...(apparmorProfile !== "" && apparmorProfile !== "unconfined" && { apparmorProfile }),
    ...oomScore(hostConfig, host, origins),
  };
}

export function consoleSize(size: readonly number[] | undefined) {
  const [height = 0, width = 0] = size ?? [];
  return height > 0 && width > 0 ? { consoleSize: { height, width } } : {};
}

function buildArgs({ config, hostConfig }: SpecInput): string[] {
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0) throw invalidParameter("no command specified");
  return hostConfig.Init === true ? [initTarget, "--", ...args] : args;
}

export function workingDirectory(path: string): string {
  if (path === "") return "/";
  if (!path.startsWith("/"))
    throw invalidParameter(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  return path;
}

/** Docker's sets: what a process has and may regain through exec; nothing that exec would hand on by itself. */
export function buildCapabilities(
  { CapAdd = [], CapDrop = [], Privileged = false }: HostConfig,
  host: HostFacts,
  origins?: OriginMap,
): OciCapabilities {
  const available = availableCapabilities(host.capabilities.bounding, host.lastCapability);
  const granted = Privileged
    ? available
    : adjustCapabilities(
        // An engine that lacks one of the defaults itself cannot give it away.
        defaultCapabilities.filter((name) => available.includes(name)),
        CapAdd,
        CapDrop,
        available,
      );
  const flags = [
    ...CapAdd.map((name) => `--cap-add ${name}`),
    ...CapDrop.map((name) => `--cap-drop ${name}`),
  ];
  if (Privileged) origins?.set("/process/capabilities", "--privileged");
  else if (flags.length > 0) origins?.set("/process/capabilities", flags.join(" "));
  return { bounding: granted, effective: granted, permitted: granted };
}

function buildRlimits(ulimits: readonly Ulimit[], origins: OriginMap): OciRlimit[] {
  return ulimits.map(({ Name = "", Soft = 0, Hard = 0 }, index) => {
    const type = `RLIMIT_${Name.toUpperCase()}`;
    if (rlimitNumbers[type] === undefined) throw invalidParameter(`invalid ulimit type: ${Name}`);
    const [soft, hard] = [limit(Soft), limit(Hard)];
    if (soft > hard)
      throw invalidParameter(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    origins.set(`/process/rlimits/${index}`, `--ulimit ${Name}=${Soft}:${Hard}`);
    return { type, soft, hard };
  });
}

/** -1 is RLIM_INFINITY. */
const limit = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** Left as it is where the user has no wish: it may be beyond what this engine is allowed to change. */
function oomScore(
  { OomScoreAdj = 0 }: HostConfig,
  host: HostFacts,
  origins: OriginMap,
): { oomScoreAdj?: number } {
  if (OomScoreAdj === 0) return host.oomScoreAdj < 0 ? { oomScoreAdj: 0 } : {};
  origins.set("/process/oomScoreAdj", `--oom-score-adj ${OomScoreAdj}`);
  return { oomScoreAdj: OomScoreAdj };
}

/** Whose word each field is: the user's or the image's. */
function noteOrigins({ config, userConfig, imageName, hostConfig }: SpecInput, origins: OriginMap): void {
  const image = (field: keyof ContainerConfig) => `image config ${field}`;
  const own = userConfig.Entrypoint !== undefined || (userConfig.Cmd ?? []).length > 0;
  origins.set("/process/args", own ? "command line" : `command of image ${imageName}`);
  if (hostConfig.Init === true) origins.set("/process/args", "command line, --init");
  if (config.Tty === true) origins.set("/process/terminal", "--tty");
  if (userConfig.User) origins.set("/process/user", `--user ${userConfig.User}`);
  else if (config.User) origins.set("/process/user", image("User"));
  if (userConfig.WorkingDir) origins.set("/process/cwd", `--workdir ${userConfig.WorkingDir}`);
  else if (config.WorkingDir) origins.set("/process/cwd", image("WorkingDir"));
}
