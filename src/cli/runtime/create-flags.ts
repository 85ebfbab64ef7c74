import { invalidParameter } from "../../errors/platform-error.ts";
import type { CreateRequest } from "../../runtime/lifecycle/create-container.ts";
import { bool, integer, text, textWithDefault } from "../flag-kinds.ts";
import type { FlagValues } from "../flags.ts";
import type { RuntimeContext } from "./runtime-command.ts";

/** What `create` and `run` have in common. */
export const createFlags = {
  bundle: textWithDefault("Directory of the bundle", ".", { short: "b" }),
  "console-socket": text("Unix socket that receives the master of the pty"),
  "pidfd-socket": text("Unix socket that receives a pidfd of the process"),
  "pid-file": text("File that receives the pid"),
  "no-pivot": bool("Move the root instead of pivot_root, for a root on a ramdisk"),
  "no-new-keyring": bool("Keep the caller's session keyring"),
  "preserve-fds": integer("Number of further descriptors that the process inherits"),
};

/** What the flags and the environment ask for. Errors: InvalidParameter. */
export function createRequest(
  { root, env, rootless, systemdCgroup }: Pick<RuntimeContext, "root" | "env" | "rootless" | "systemdCgroup">,
  id: string,
  flags: FlagValues<typeof createFlags>,
): Omit<CreateRequest, "mode" | "detached"> {
  const listenFds = listenFdsOf(env);
  return {
    root,
    id,
    bundle: flags.bundle,
    options: {
      noPivot: flags["no-pivot"],
      noNewKeyring: flags["no-new-keyring"],
      preserveFds: preserveFdsOf(flags["preserve-fds"], env),
    },
    rootless,
    systemdCgroup,
    runtimeDirectory: env.XDG_RUNTIME_DIR,
    listenFds,
    notifySocket: env.NOTIFY_SOCKET || undefined,
    ...filesOf(flags),
  };
}

/** The files and sockets of the caller; an empty name is none, as with runc. */
export const filesOf = (flags: {
  readonly "pid-file": string | undefined;
  readonly "console-socket": string | undefined;
  readonly "pidfd-socket": string | undefined;
}) => ({
  pidFile: flags["pid-file"] || undefined,
  consoleSocket: flags["console-socket"] || undefined,
  pidfdSocket: flags["pidfd-socket"] || undefined,
});

/** Descriptors from 3 on: those of LISTEN_FDS, then the caller's further ones. Errors: InvalidParameter. */
export function preserveFdsOf(given: number | undefined, env: RuntimeContext["env"]): number {
  const further = given ?? 0;
  if (further < 0 || further > maximumFds)
    throw invalidParameter(`--preserve-fds: ${further} is not from 0 to ${maximumFds}`);
  return further + listenFdsOf(env);
}

const maximumFds = 50;

/** sd_listen_fds(3): what is meant for another process, and got here with the environment only, does not count. */
export function listenFdsOf({ LISTEN_FDS = "", LISTEN_PID }: RuntimeContext["env"]): number {
  if (LISTEN_PID !== undefined && LISTEN_PID !== String(process.pid)) return 0;
  return /^\d{1,2}$/.test(LISTEN_FDS) ? Math.min(Number(LISTEN_FDS), maximumFds) : 0;
}
