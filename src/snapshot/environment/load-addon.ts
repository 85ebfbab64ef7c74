import type { Addon } from "../../kernel/addon-contract.ts";
import { host } from "../host.ts";
import { waitingSyscall } from "./wait.ts";

/** In the place of src/kernel/load-addon.ts: the addon is linked into the front. */
export function loadAddon(): Addon {
  const { syscall, spawn, sendFds, recvFds, address } = host();
  return {
    syscall,
    spawn,
    sendFds,
    recvFds,
    address: (bytes) => BigInt(address(bytes)),
    syscallAsync: async (nr, ...args) => waitingSyscall(nr, ...args),
    makeNetns: unavailable,
    makeNetnsAsync: unavailable,
    netlinkSocketIn: unavailable,
  };
}

function unavailable(): never {
  throw new Error("the commands of the runtime have no use for this");
}
