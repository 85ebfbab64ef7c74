import { join } from "node:path";
import { invalidParameter } from "../../errors/platform-error.ts";
import type { OciProcess, OciSpec } from "../../formats/oci-runtime.ts";

const notifyTarget = "/run/notify";

/** Host directory that the container sees as /run/notify. */
export const notifyDirectoryOf = (directory: string): string => join(directory, "notify");
export const notifySocketName = "notify.sock";

/** Adds the directory of the notification socket to the mounts. `directory` is the container's. Pure. */
export function withNotifyMount(spec: OciSpec, directory: string): OciSpec {
  const mount = {
    destination: notifyTarget,
    type: "bind",
    source: notifyDirectoryOf(directory),
    options: ["bind", "nosuid", "noexec", "nodev", "ro"],
  };
  return { ...spec, mounts: [...(spec.mounts ?? []), mount] };
}

/** What the service manager of the caller passes on: sd_listen_fds(3), sd_notify(3). Pure. */
export function withServiceVariables(
  process: OciProcess,
  { listenFds, notify }: { readonly listenFds: number; readonly notify: boolean },
): OciProcess {
  const env = [
    ...(listenFds > 0 ? [`LISTEN_FDS=${listenFds}`, "LISTEN_PID=1"] : []),
    ...(notify ? [`NOTIFY_SOCKET=${notifyTarget}/${notifySocketName}`] : []),
  ];
  return env.length === 0 ? process : { ...process, env: [...(process.env ?? []), ...env] };
}

/**
 * Whether the terminal fits how the process is started. Errors: InvalidParameter.
 * A detached process with a terminal needs somebody who holds its master; without a terminal there is nothing to hold.
 */
export function checkTerminal(
  { terminal = false }: Pick<OciProcess, "terminal">,
  detached: boolean,
  hasConsoleSocket: boolean,
): void {
  if (detached && terminal && !hasConsoleSocket)
    throw invalidParameter("cannot allocate tty if the runtime will detach without setting console socket", {
      hint: "give --console-socket, or set process.terminal to false",
    });
  if (hasConsoleSocket && !(detached && terminal))
    throw invalidParameter("cannot use console socket if the runtime will not detach or allocate tty");
}
