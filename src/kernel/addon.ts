import type { Addon } from "./addon-contract.ts";
import { loadAddon } from "./load-addon.ts";

export type { Addon, FdMapping, SyscallArgument } from "./addon-contract.ts";

let configuredPath: string | undefined;
let loaded: Addon | undefined;

/** Says where the addon's file is, before its first use; a file embedded in the executable is unpacked. */
export function setAddonPath(path: string): void {
  configuredPath = path;
}

/** Loaded at the first call, so that commands which need no system call do not pay for it. */
export const addon: Addon = {
  syscall: (nr, ...args) => native().syscall(nr, ...args),
  syscallAsync: (nr, ...args) => native().syscallAsync(nr, ...args),
  address: (bytes) => native().address(bytes),
  spawn: (file, argv, env, fds) => native().spawn(file, argv, env, fds),
  sendFds: (socket, data, fds) => native().sendFds(socket, data, fds),
  recvFds: (socket, buffer, maxFds) => native().recvFds(socket, buffer, maxFds),
  makeNetns: (path) => native().makeNetns(path),
  makeNetnsAsync: (path) => native().makeNetnsAsync(path),
  netlinkSocketIn: (netnsFd) => native().netlinkSocketIn(netnsFd),
};

/** Whether a system call is to be had for nothing. */
export const isAddonLoaded = (): boolean => loaded !== undefined;

function native(): Addon {
  loaded ??= loadAddon(configuredPath);
  return loaded;
}
